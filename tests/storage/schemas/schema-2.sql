-- A database as schema version 2 left it. Never edited: a new version gets a file of its own.
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA application_id = 1699955779;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE activity (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        content TEXT NOT NULL DEFAULT '',
        resources JSON TEXT,
        metadata JSON TEXT,
        start_time DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        end_time DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );
INSERT INTO "activity" VALUES(1,'wrote','a note','[{"type":"image","path":"/a b.png"}]','{"n":1.5,"deep":{"list":[1,null,true]}}','2026-01-04T04:15:30.028Z','2026-01-05T05:15:30.035Z');
INSERT INTO "activity" VALUES(2,'bare','',NULL,NULL,'2026-01-06T06:15:30.042Z','2026-01-06T06:15:30.042Z');
CREATE TABLE chat_histories (
        chat_id TEXT NOT NULL PRIMARY KEY REFERENCES chats (id) ON DELETE CASCADE,
        messages JSON TEXT NOT NULL DEFAULT '[]',
        cache_info JSON TEXT NOT NULL DEFAULT '{}',
        updated_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );
INSERT INTO "chat_histories" VALUES('thread-1','[{"role":"user","content":"fix it"}]','{"cached":[0]}','2026-01-02T02:15:30.014Z');
CREATE TABLE chats (
        id TEXT NOT NULL PRIMARY KEY,
        initial_request TEXT,
        project_root TEXT,
        current_issue TEXT,
        metadata JSON TEXT,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        updated_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );
INSERT INTO "chats" VALUES('thread-1','fix it','/p','7','{"a":[1]}','2026-01-01T01:15:30.007Z','2026-01-02T02:15:30.014Z');
INSERT INTO "chats" VALUES('ünïcode/2',NULL,NULL,NULL,NULL,'2026-01-03T03:15:30.021Z','2026-01-03T03:15:30.021Z');
CREATE TABLE conversations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT,
        user_id TEXT,
        page_name TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'active',
        metadata JSON TEXT,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        updated_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    , restored_status TEXT);
INSERT INTO "conversations" VALUES(1,'first','u-1','home','active','{"k":"v"}','2026-01-01T01:15:30.007Z','2026-01-10T00:15:30.070Z',NULL);
INSERT INTO "conversations" VALUES(2,NULL,NULL,'notes','deleted',NULL,'2026-01-02T02:15:30.014Z','2026-01-02T02:15:30.014Z',NULL);
CREATE TABLE exchanges (
        exchange_id INTEGER PRIMARY KEY AUTOINCREMENT,
        chat_id TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
        model TEXT NOT NULL,
        request TEXT NOT NULL,
        cost JSON TEXT NOT NULL DEFAULT '{}',
        start DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        "end" DATETIME
    );
INSERT INTO "exchanges" VALUES(1,'thread-1','m','r','{"usd":0.01}','2026-01-01T01:15:30.007Z','2026-01-02T02:15:30.014Z');
CREATE TABLE idempotency_keys (
        key TEXT NOT NULL PRIMARY KEY,
        fingerprint BLOB NOT NULL,
        result TEXT NOT NULL,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    ) WITHOUT ROWID
    ;
INSERT INTO "idempotency_keys" VALUES('k-1',X'0001FF','{"id":1}','2026-01-01T01:15:30.007Z');
CREATE TABLE message_chunks (
        message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
        sequence INTEGER NOT NULL,
        content TEXT NOT NULL,
        token_count INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (message_id, sequence)
    ) WITHOUT ROWID
    ;
INSERT INTO "message_chunks" VALUES(4,0,'first ',1);
INSERT INTO "message_chunks" VALUES(4,1,'second',1);
CREATE TABLE message_thinking (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
        content TEXT NOT NULL,
        stage TEXT,
        progress REAL NOT NULL DEFAULT 0.0,
        sequence INTEGER NOT NULL DEFAULT 0,
        metadata JSON TEXT,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );
INSERT INTO "message_thinking" VALUES(1,2,'hmm','plan',0.5,1,'{}','2026-01-02T02:15:30.014Z');
INSERT INTO "message_thinking" VALUES(2,2,'so',NULL,0.0,0,NULL,'2026-01-03T03:15:30.021Z');
CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        parent_message_id TEXT,
        role TEXT NOT NULL,
        content TEXT NOT NULL DEFAULT '',
        status TEXT NOT NULL DEFAULT 'pending',
        token_count INTEGER NOT NULL DEFAULT 0,
        metadata JSON TEXT,
        latency_ms INTEGER,
        error_message TEXT,
        completed_at DATETIME,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        updated_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );
INSERT INTO "messages" VALUES(1,1,NULL,'user','hello','completed',2,NULL,NULL,NULL,'2026-01-01T01:15:30.007Z','2026-01-01T01:15:30.007Z','2026-01-01T01:15:30.007Z');
INSERT INTO "messages" VALUES(2,1,'1','assistant','hi there','completed',5,'{"model":"m"}',120,NULL,'2026-01-03T03:15:30.021Z','2026-01-02T02:15:30.014Z','2026-01-03T03:15:30.021Z');
INSERT INTO "messages" VALUES(3,1,NULL,'assistant','half','failed',0,NULL,NULL,'cut off','2026-01-04T04:15:30.028Z','2026-01-04T04:15:30.028Z','2026-01-04T04:15:30.028Z');
INSERT INTO "messages" VALUES(4,2,NULL,'user','','pending',0,NULL,NULL,NULL,NULL,'2026-01-05T05:15:30.035Z','2026-01-05T05:15:30.035Z');
CREATE TABLE monitoring_data_stats (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time_bucket TEXT NOT NULL,
        data_type TEXT NOT NULL,
        count INTEGER NOT NULL DEFAULT 0,
        context_type TEXT,
        metadata TEXT,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );
INSERT INTO "monitoring_data_stats" VALUES(1,'2026-01-01T00:00:00.000Z','document',4,'activity',NULL,'2026-01-01T01:15:30.007Z');
INSERT INTO "monitoring_data_stats" VALUES(2,'2026-01-01T00:00:00.000Z','image',1,NULL,NULL,'2026-01-01T01:15:30.007Z');
CREATE TABLE monitoring_stage_timing (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time_bucket TEXT NOT NULL,
        stage_name TEXT NOT NULL,
        count INTEGER NOT NULL DEFAULT 0,
        total_duration_ms INTEGER NOT NULL DEFAULT 0,
        min_duration_ms INTEGER,
        max_duration_ms INTEGER,
        avg_duration_ms INTEGER,
        success_count INTEGER NOT NULL DEFAULT 0,
        error_count INTEGER NOT NULL DEFAULT 0,
        metadata TEXT,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );
INSERT INTO "monitoring_stage_timing" VALUES(1,'2026-01-01T00:00:00.000Z','parse',2,30,10,20,15,1,1,'{}','2026-01-01T01:15:30.007Z');
CREATE TABLE monitoring_token_usage (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time_bucket TEXT NOT NULL,
        model TEXT NOT NULL,
        prompt_tokens INTEGER NOT NULL DEFAULT 0,
        completion_tokens INTEGER NOT NULL DEFAULT 0,
        total_tokens INTEGER NOT NULL DEFAULT 0,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );
INSERT INTO "monitoring_token_usage" VALUES(1,'2026-01-01T00:00:00.000Z','m',10,5,15,'2026-01-01T01:15:30.007Z');
CREATE TABLE schema_migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at TEXT NOT NULL,
    program_version TEXT NOT NULL
);
INSERT INTO "schema_migrations" VALUES(1,'the seed''s tables','2026-01-01T00:00:01.000Z','0.1.0');
INSERT INTO "schema_migrations" VALUES(2,'streamed messages and conversation states','2026-01-01T00:00:02.000Z','0.1.0');
CREATE TABLE tips (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        content TEXT NOT NULL,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );
INSERT INTO "tips" VALUES(1,'drink water','2026-01-01T01:15:30.007Z');
INSERT INTO "tips" VALUES(3,'line
break	tab','2026-01-02T02:15:30.014Z');
CREATE TABLE todo (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        content TEXT NOT NULL,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        start_time DATETIME,
        end_time DATETIME,
        status INTEGER NOT NULL DEFAULT 0,
        urgency INTEGER NOT NULL DEFAULT 0,
        assignee TEXT,
        reason TEXT
    );
INSERT INTO "todo" VALUES(1,'call','2026-01-01T01:15:30.007Z',NULL,NULL,0,0,NULL,NULL);
INSERT INTO "todo" VALUES(2,'done one','2026-01-02T02:15:30.014Z','2026-01-02T02:15:30.014Z','2026-01-03T03:15:30.021Z',1,3,'Ada','because');
CREATE TABLE vaults (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        summary TEXT,
        content TEXT NOT NULL DEFAULT '',
        tags TEXT NOT NULL DEFAULT '',
        parent_id INTEGER REFERENCES vaults (id),
        is_folder BOOLEAN NOT NULL DEFAULT 0,
        is_deleted BOOLEAN NOT NULL DEFAULT 0,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        updated_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        document_type TEXT NOT NULL DEFAULT 'Note',
        sort_order INTEGER NOT NULL DEFAULT 0,
        deleted_with INTEGER
    );
INSERT INTO "vaults" VALUES(1,'Quick Start',NULL,'# Wélcome

multi
line ''quoted'' "twice"','',NULL,0,0,'2026-01-01T01:15:30.007Z','2026-01-01T01:15:30.007Z','Note',0,NULL);
INSERT INTO "vaults" VALUES(2,'Projekte',NULL,'','',NULL,1,0,'2026-01-02T02:15:30.014Z','2026-01-03T03:15:30.021Z','Note',3,NULL);
INSERT INTO "vaults" VALUES(3,'Ünïcode 漢字 🎈','kurz','xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx','a,b,c d',2,0,0,'2026-01-03T03:15:30.021Z','2026-01-06T06:15:30.042Z','vaults',-1,NULL);
INSERT INTO "vaults" VALUES(4,'gone',NULL,'','',2,0,1,'2026-01-04T04:15:30.028Z','2026-01-07T07:15:30.049Z','Note',0,4);
INSERT INTO "vaults" VALUES(5,'gone with it',NULL,'','',4,0,1,'2026-01-04T04:15:30.028Z','2026-01-07T07:15:30.049Z','DailyReport',0,4);
INSERT INTO "vaults" VALUES(9,'after a gap',NULL,'','',NULL,0,0,'2026-01-08T08:15:30.056Z','2026-01-08T08:15:30.056Z','Note',0,NULL);
CREATE INDEX idx_vaults_created_at ON vaults (created_at);
CREATE INDEX idx_vaults_document_type ON vaults (document_type, is_deleted, created_at);
CREATE INDEX idx_vaults_is_folder ON vaults (is_folder, is_deleted, sort_order);
CREATE INDEX idx_vaults_is_deleted ON vaults (is_deleted, created_at);
CREATE INDEX idx_vaults_updated_at ON vaults (is_deleted, updated_at);
CREATE INDEX idx_vaults_parent_id ON vaults (parent_id, is_deleted, sort_order);
CREATE INDEX idx_vaults_title ON vaults (title, is_deleted, created_at);
CREATE INDEX idx_vaults_deleted_with ON vaults (deleted_with) WHERE deleted_with IS NOT NULL;
CREATE INDEX idx_vaults_reports ON vaults (is_deleted, created_at) WHERE document_type != 'Note';
CREATE INDEX idx_todo_status ON todo (status, created_at);
CREATE INDEX idx_todo_urgency ON todo (urgency);
CREATE INDEX idx_todo_created_at ON todo (created_at);
CREATE INDEX idx_activity_time ON activity (start_time, end_time);
CREATE INDEX idx_tips_created_at ON tips (created_at);
CREATE INDEX idx_conversations_updated_at ON conversations (updated_at DESC);
CREATE INDEX idx_conversations_user_page ON conversations (user_id, page_name);
CREATE INDEX idx_messages_created_at ON messages (created_at);
CREATE INDEX idx_messages_status ON messages (status);
CREATE INDEX idx_messages_conversation_id ON messages (conversation_id);
CREATE INDEX idx_message_thinking_message_id ON message_thinking (message_id, sequence);
CREATE INDEX idx_token_usage_model ON monitoring_token_usage (model);
CREATE UNIQUE INDEX idx_token_usage_time_bucket ON monitoring_token_usage (time_bucket, model);
CREATE INDEX idx_stage_timing_stage_name ON monitoring_stage_timing (stage_name);
CREATE UNIQUE INDEX idx_stage_timing_time_bucket ON monitoring_stage_timing (time_bucket, stage_name);
CREATE INDEX idx_data_stats_data_type ON monitoring_data_stats (data_type);
CREATE UNIQUE INDEX idx_data_stats_time_bucket
        ON monitoring_data_stats (time_bucket, data_type, coalesce(context_type, ''))
    ;
CREATE INDEX idx_conversations_status ON conversations (status, updated_at);
CREATE INDEX idx_conversations_page ON conversations (page_name, updated_at);
CREATE INDEX idx_conversations_user ON conversations (user_id, updated_at);
CREATE INDEX idx_chats_updated_at ON chats (updated_at);
CREATE INDEX idx_exchanges_chat_id ON exchanges (chat_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('vaults',9);
INSERT INTO "sqlite_sequence" VALUES('todo',2);
INSERT INTO "sqlite_sequence" VALUES('activity',2);
INSERT INTO "sqlite_sequence" VALUES('tips',3);
INSERT INTO "sqlite_sequence" VALUES('conversations',2);
INSERT INTO "sqlite_sequence" VALUES('messages',4);
INSERT INTO "sqlite_sequence" VALUES('message_thinking',2);
INSERT INTO "sqlite_sequence" VALUES('monitoring_token_usage',1);
INSERT INTO "sqlite_sequence" VALUES('monitoring_stage_timing',1);
INSERT INTO "sqlite_sequence" VALUES('monitoring_data_stats',2);
INSERT INTO "sqlite_sequence" VALUES('exchanges',1);
COMMIT;
