"""Databases of nine vintages of the seeds' systems: their tables as each vintage made them, without rows."""

import sqlite3
from contextlib import closing
from pathlib import Path

_MADE = "created_at DATETIME DEFAULT CURRENT_TIMESTAMP"
_CHANGED = f"{_MADE}, updated_at DATETIME DEFAULT CURRENT_TIMESTAMP"
_ID = "id INTEGER PRIMARY KEY AUTOINCREMENT"

_FIRST = f"""
CREATE TABLE vaults (
    {_ID}, title TEXT, summary TEXT, content TEXT, tags TEXT, parent_id INTEGER, is_folder BOOLEAN DEFAULT 0,
    is_deleted BOOLEAN DEFAULT 0, {_CHANGED}, document_type TEXT DEFAULT 'vaults', sort_order INTEGER DEFAULT 0,
    FOREIGN KEY (parent_id) REFERENCES vaults (id)
);
CREATE TABLE todo (
    {_ID}, content TEXT, {_MADE}, start_time DATETIME DEFAULT CURRENT_TIMESTAMP, end_time DATETIME,
    status INTEGER DEFAULT 0, urgency INTEGER DEFAULT 0, assignee TEXT
);
CREATE TABLE activity (
    {_ID}, title TEXT, content TEXT, resources JSON, metadata JSON, start_time DATETIME, end_time DATETIME
);
CREATE TABLE tips ({_ID}, content TEXT, {_MADE});
CREATE INDEX idx_vaults_created ON vaults (created_at);
CREATE INDEX idx_vaults_type ON vaults (document_type);
CREATE INDEX idx_vaults_folder ON vaults (is_folder);
CREATE INDEX idx_vaults_deleted ON vaults (is_deleted);
CREATE INDEX idx_todo_status ON todo (status);
CREATE INDEX idx_todo_urgency ON todo (urgency);
CREATE INDEX idx_todo_created ON todo (created_at);
CREATE INDEX idx_activity_time ON activity (start_time, end_time);
CREATE INDEX idx_tips_time ON tips (created_at);
"""
_REASONS = "ALTER TABLE todo ADD COLUMN reason TEXT;"
_MONITORING = f"""
CREATE TABLE monitoring_token_usage (
    {_ID}, time_bucket TEXT NOT NULL, model TEXT NOT NULL, prompt_tokens INTEGER DEFAULT 0,
    completion_tokens INTEGER DEFAULT 0, total_tokens INTEGER DEFAULT 0, {_MADE}, UNIQUE (time_bucket, model)
);
CREATE TABLE monitoring_stage_timing (
    {_ID}, time_bucket TEXT NOT NULL, stage_name TEXT NOT NULL, count INTEGER DEFAULT 1,
    total_duration_ms INTEGER NOT NULL, min_duration_ms INTEGER NOT NULL, max_duration_ms INTEGER NOT NULL,
    avg_duration_ms INTEGER NOT NULL, success_count INTEGER DEFAULT 0, error_count INTEGER DEFAULT 0, metadata TEXT,
    {_MADE}, UNIQUE (time_bucket, stage_name)
);
CREATE TABLE monitoring_data_stats (
    {_ID}, time_bucket TEXT NOT NULL, data_type TEXT NOT NULL, count INTEGER DEFAULT 1, context_type TEXT,
    metadata TEXT, {_MADE}, UNIQUE (time_bucket, data_type, context_type)
);
CREATE INDEX idx_monitoring_token_created ON monitoring_token_usage (created_at);
CREATE INDEX idx_monitoring_token_model ON monitoring_token_usage (model);
CREATE INDEX idx_monitoring_stage_created ON monitoring_stage_timing (created_at);
CREATE INDEX idx_monitoring_stage_name ON monitoring_stage_timing (stage_name);
CREATE INDEX idx_monitoring_data_created ON monitoring_data_stats (created_at);
CREATE INDEX idx_monitoring_data_type ON monitoring_data_stats (data_type);
"""
_CHATTING = f"""
CREATE TABLE conversations (
    {_ID}, title TEXT, user_id TEXT, page_name VARCHAR(20) DEFAULT 'home', status VARCHAR(20) DEFAULT 'active',
    metadata JSON DEFAULT '{{}}', {_CHANGED}
);
CREATE TABLE messages (
    {_ID}, conversation_id INTEGER NOT NULL, parent_message_id TEXT, role TEXT NOT NULL, content TEXT DEFAULT '',
    status TEXT NOT NULL DEFAULT 'pending', token_count INTEGER DEFAULT 0, metadata JSON DEFAULT '{{}}',
    latency_ms INTEGER DEFAULT 0, error_message TEXT DEFAULT '', completed_at DATETIME, {_CHANGED},
    FOREIGN KEY (conversation_id) REFERENCES conversations (id) ON DELETE CASCADE
);
CREATE TABLE message_thinking (
    {_ID}, message_id INTEGER NOT NULL, content TEXT NOT NULL, stage TEXT, progress REAL DEFAULT 0.0,
    sequence INTEGER DEFAULT 0, metadata JSON DEFAULT '{{}}', {_MADE},
    FOREIGN KEY (message_id) REFERENCES messages (id) ON DELETE CASCADE
);
CREATE INDEX idx_conversations_updated_at ON conversations (updated_at);
CREATE INDEX idx_conversations_user_page ON conversations (user_id, page_name);
CREATE INDEX idx_messages_conversation_id ON messages (conversation_id);
CREATE INDEX idx_messages_status ON messages (status);
CREATE INDEX idx_messages_created_at ON messages (created_at);
CREATE INDEX idx_message_thinking_message_id ON message_thinking (message_id);
CREATE INDEX idx_message_thinking_stage ON message_thinking (message_id, stage);
CREATE INDEX idx_message_thinking_sequence ON message_thinking (message_id, sequence);
"""
_NOTES = "CREATE TABLE my_notes (a TEXT, b BLOB);"
"""A table that somebody else added."""

_HISTORIES = """
CREATE TABLE chats (
    id TEXT PRIMARY KEY, initial_request TEXT, project_root TEXT, current_issue TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, metadata TEXT
);
CREATE TABLE chat_histories (
    chat_id TEXT NOT NULL, messages TEXT NOT NULL, cache_info TEXT NOT NULL,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, FOREIGN KEY (chat_id) REFERENCES chats (id)
);
"""
_CHATS = """
CREATE TABLE chats (
    chat_id TEXT PRIMARY KEY, initial_request TEXT, project_root TEXT, messages TEXT NOT NULL, cache_info TEXT NOT NULL,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
"""


def _exchanges(model: str) -> str:
    return f"""
CREATE TABLE exchanges (
    exchange_id INTEGER PRIMARY KEY AUTOINCREMENT, chat_id TEXT NOT NULL, {model} request TEXT, cost JSON,
    start TIMESTAMP DEFAULT CURRENT_TIMESTAMP, "end" TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
"""


VINTAGES = {
    "minecontext-1": _FIRST + _NOTES,
    "minecontext-2": _FIRST + _REASONS,
    "minecontext-3": _FIRST + _REASONS + _MONITORING + _NOTES,
    "minecontext-4": _FIRST + _REASONS + _MONITORING + _CHATTING + _NOTES,
    "minecontext-5": _FIRST + _REASONS + _MONITORING + _CHATTING,
    "vmpilot-1": _HISTORIES,
    "vmpilot-2": _CHATS,
    "vmpilot-3": _CHATS + _exchanges(""),
    "vmpilot-4": _CHATS + _exchanges("model TEXT NOT NULL,"),
}
MINECONTEXT = [name for name in VINTAGES if name.startswith("minecontext")]
VMPILOT = [name for name in VINTAGES if name.startswith("vmpilot")]


def make(vintage: str, path: Path, *statements: str) -> Path:
    """A database of this vintage, after these statements."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VINTAGES[vintage])
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path
