-- A database as the first seed's system leaves it: both kinds of times, orphans, values out of place.
CREATE TABLE vaults (
    id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, summary TEXT, content TEXT, tags TEXT,
    parent_id INTEGER, is_folder BOOLEAN DEFAULT 0, is_deleted BOOLEAN DEFAULT 0,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    document_type TEXT DEFAULT 'vaults', sort_order INTEGER DEFAULT 0,
    FOREIGN KEY (parent_id) REFERENCES vaults (id)
);
INSERT INTO vaults VALUES (1, 'Folder', NULL, NULL, NULL, NULL, 1, 0, '2025-06-01 08:00:00', '2025-06-01 08:00:00', 'Note', 0);
INSERT INTO vaults VALUES (2, 'Plan', 'short', 'Text ä 日本', 'a,b', 1, 'false', 'true', '2025-06-01 10:00:00.123456', NULL, NULL, NULL);
INSERT INTO vaults VALUES (3, 'Lost child', NULL, 'kept', '', 99, 0, 0, '2025-01-01 12:00:00.500000', '2025-01-02 12:00:00', 'DailyReport', 5);
INSERT INTO vaults VALUES (4, 'Circle A', NULL, '', '', 5, 1, 0, '2025-06-01 08:00:00', '2025-06-01 08:00:00', 'Note', 0);
INSERT INTO vaults VALUES (5, 'Circle B', NULL, '', '', 4, 1, 0, '2025-06-01 08:00:00', '2025-06-01 08:00:00', 'Note', 0);
INSERT INTO vaults VALUES (70, 'Deleted for good', NULL, '', '', NULL, 0, 0, '2025-06-01 08:00:00', '2025-06-01 08:00:00', 'Note', 0);
DELETE FROM vaults WHERE id = 70;
CREATE TABLE todo (
    id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT, created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    start_time DATETIME, end_time DATETIME, status INTEGER DEFAULT 0, urgency INTEGER DEFAULT 0,
    assignee TEXT, reason TEXT
);
INSERT INTO todo VALUES (1, 'water', '2025-06-01 08:00:00', '2025-06-01 10:00:00.000001', '2025-06-01T11:00:00+02:00', 1, 3, 'Ada', 'dry');
INSERT INTO todo VALUES (7, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL);
INSERT INTO todo VALUES (8, 'odd', '2025-06-01 08:00:00', 'tomorrow', NULL, 5, 'high', NULL, NULL);
CREATE TABLE activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, content TEXT, resources JSON, metadata JSON,
    start_time DATETIME, end_time DATETIME
);
INSERT INTO activity VALUES (1, 'Review', 'Read', '[{"type":"file","id":1.0}]', '{"app":"editor"}', '2025-06-01 10:00:00.250000', '2025-06-01 11:00:00.750000');
INSERT INTO activity VALUES (2, 'Odd', NULL, 'no json {', '[1,2]', NULL, '2025-06-01 09:00:00');
CREATE TABLE tips (id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT, created_at DATETIME DEFAULT CURRENT_TIMESTAMP);
INSERT INTO tips VALUES (1, 'stretch', '2025-06-01 08:00:00');
INSERT INTO tips VALUES (2, 'drink', '2025-12-01 10:00:00.000000');
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, user_id TEXT, page_name TEXT, status TEXT DEFAULT 'active',
    metadata JSON, created_at DATETIME DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO conversations VALUES (1, 'Chat', 'ada', 'home', 'active', '{"k":[1,null]}', '2025-06-01 08:00:00', '2025-06-01 10:30:00.000000');
INSERT INTO conversations VALUES (2, NULL, NULL, NULL, 'deleted', NULL, '2025-06-01 08:00:00', NULL);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, conversation_id INTEGER NOT NULL, parent_message_id TEXT, role TEXT NOT NULL,
    content TEXT, status TEXT DEFAULT 'pending', token_count INTEGER DEFAULT 0, metadata JSON, latency_ms INTEGER,
    error_message TEXT, completed_at DATETIME, created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP, FOREIGN KEY (conversation_id) REFERENCES conversations (id)
);
INSERT INTO messages VALUES (1, 1, NULL, 'user', 'hello', 'completed', 2, NULL, NULL, NULL, '2025-06-01 08:00:01', '2025-06-01 08:00:00', '2025-06-01 08:00:01');
INSERT INTO messages VALUES (2, 1, '1', 'assistant', 'hi', 'completed', 5, '{"m":"x"}', 900, NULL, '2025-06-01 10:00:02.900000', '2025-06-01 08:00:02', NULL);
INSERT INTO messages VALUES (3, 42, NULL, 'user', 'whose am I', 'completed', 1, NULL, NULL, NULL, NULL, '2025-06-01 08:00:00', NULL);
INSERT INTO messages VALUES (4, 1, '3', 'ASSISTANT', NULL, 'done', NULL, NULL, NULL, NULL, NULL, '2025-06-01 08:00:03', NULL);
CREATE TABLE message_thinking (
    id INTEGER PRIMARY KEY AUTOINCREMENT, message_id INTEGER NOT NULL, content TEXT NOT NULL, stage TEXT,
    progress REAL DEFAULT 0.0, sequence INTEGER DEFAULT 0, metadata JSON, created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (message_id) REFERENCES messages (id)
);
INSERT INTO message_thinking VALUES (1, 2, 'hm', 'plan', 0.5, 0, NULL, '2025-06-01 08:00:02');
INSERT INTO message_thinking VALUES (2, 3, 'of an orphan', NULL, 0.0, 0, NULL, '2025-06-01 08:00:02');
INSERT INTO message_thinking VALUES (3, 77, 'of nothing', NULL, 0.0, 0, NULL, '2025-06-01 08:00:02');
CREATE TABLE monitoring_token_usage (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time_bucket TEXT NOT NULL, model TEXT NOT NULL, prompt_tokens INTEGER DEFAULT 0,
    completion_tokens INTEGER DEFAULT 0, total_tokens INTEGER DEFAULT 0, created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (time_bucket, model)
);
INSERT INTO monitoring_token_usage VALUES (1, '2025-06-01 10:00:00', 'm', 1, 2, 3, '2025-06-01 08:00:00');
CREATE TABLE monitoring_stage_timing (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time_bucket TEXT NOT NULL, stage_name TEXT NOT NULL, count INTEGER DEFAULT 1,
    total_duration_ms INTEGER, min_duration_ms INTEGER, max_duration_ms INTEGER, avg_duration_ms INTEGER,
    success_count INTEGER DEFAULT 0, error_count INTEGER DEFAULT 0, metadata TEXT,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP, UNIQUE (time_bucket, stage_name)
);
INSERT INTO monitoring_stage_timing VALUES (1, '2025-06-01 10:00:00', 's', 2, 30, 10, 20, 15, 2, 0, '{}', '2025-06-01 08:00:00');
CREATE TABLE monitoring_data_stats (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time_bucket TEXT NOT NULL, data_type TEXT NOT NULL, count INTEGER DEFAULT 1,
    context_type TEXT, metadata TEXT, created_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO monitoring_data_stats VALUES (1, '2025-06-01 10:00:00', 'screenshot', 4, NULL, NULL, '2025-06-01 08:00:00');
INSERT INTO monitoring_data_stats VALUES (2, '2025-06-01 10:00:00', 'screenshot', 5, NULL, NULL, '2025-06-01 08:00:00');
CREATE TABLE of_another_tool (id INTEGER PRIMARY KEY, vault_id INTEGER REFERENCES vaults (id), note TEXT);
INSERT INTO of_another_tool VALUES (1, 1, 'left alone');
CREATE VIEW open_todos AS SELECT id, content FROM todo WHERE status = 0;
CREATE INDEX idx_vaults_created_at ON vaults (created_at);
CREATE INDEX idx_vaults_type ON vaults (document_type);
CREATE INDEX idx_todo_status ON todo (status);
CREATE INDEX idx_messages_conversation_id ON messages (conversation_id);
