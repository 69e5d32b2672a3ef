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
    , completed_at DATETIME, end_is_completion INTEGER);

CREATE TABLE activity (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        content TEXT NOT NULL DEFAULT '',
        resources JSON TEXT,
        metadata JSON TEXT,
        start_time DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        end_time DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    , created_at DATETIME);

CREATE TABLE tips (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        content TEXT NOT NULL,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );

CREATE TABLE conversations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT,
        user_id TEXT,
        page_name TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'active',
        metadata JSON TEXT,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        updated_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    , restored_status TEXT, folder TEXT, tags TEXT NOT NULL DEFAULT '', is_pinned BOOLEAN NOT NULL DEFAULT 0, source TEXT, external_id TEXT);

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
    , external_id TEXT, parts JSON TEXT, model TEXT, prompt_tokens INTEGER, completion_tokens INTEGER, cost REAL);

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

CREATE TABLE monitoring_token_usage (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time_bucket TEXT NOT NULL,
        model TEXT NOT NULL,
        prompt_tokens INTEGER NOT NULL DEFAULT 0,
        completion_tokens INTEGER NOT NULL DEFAULT 0,
        total_tokens INTEGER NOT NULL DEFAULT 0,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );

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

CREATE TABLE monitoring_data_stats (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time_bucket TEXT NOT NULL,
        data_type TEXT NOT NULL,
        count INTEGER NOT NULL DEFAULT 0,
        context_type TEXT,
        metadata TEXT,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );

CREATE TABLE idempotency_keys (
        key TEXT NOT NULL PRIMARY KEY,
        fingerprint BLOB NOT NULL,
        result TEXT NOT NULL,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    , state TEXT, begins_at INTEGER, ends_at INTEGER, outlives_restore BOOLEAN NOT NULL DEFAULT 0) WITHOUT ROWID
    ;

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

CREATE INDEX idx_todo_created_at ON todo (created_at);

CREATE INDEX idx_activity_time ON activity (start_time, end_time);

CREATE INDEX idx_tips_created_at ON tips (created_at);

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

CREATE TABLE schema_migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at TEXT NOT NULL,
    program_version TEXT NOT NULL
);

CREATE INDEX idx_conversations_status ON conversations (status, updated_at);

CREATE INDEX idx_conversations_page ON conversations (page_name, updated_at);

CREATE INDEX idx_conversations_user ON conversations (user_id, updated_at);

CREATE TABLE message_chunks (
        message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
        sequence INTEGER NOT NULL,
        content TEXT NOT NULL,
        token_count INTEGER NOT NULL DEFAULT 0, total_bytes INTEGER,
        PRIMARY KEY (message_id, sequence)
    ) WITHOUT ROWID
    ;

CREATE TABLE chats (
        id TEXT NOT NULL PRIMARY KEY,
        initial_request TEXT,
        project_root TEXT,
        current_issue TEXT,
        metadata JSON TEXT,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        updated_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );

CREATE INDEX idx_chats_updated_at ON chats (updated_at);

CREATE TABLE chat_histories (
        chat_id TEXT NOT NULL PRIMARY KEY REFERENCES chats (id) ON DELETE CASCADE,
        messages JSON TEXT NOT NULL DEFAULT '[]',
        cache_info JSON TEXT NOT NULL DEFAULT '{}',
        updated_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );

CREATE TABLE exchanges (
        exchange_id INTEGER PRIMARY KEY AUTOINCREMENT,
        chat_id TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
        model TEXT NOT NULL,
        request TEXT NOT NULL,
        cost JSON TEXT NOT NULL DEFAULT '{}',
        start DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        "end" DATETIME
    );

CREATE INDEX idx_exchanges_chat_id ON exchanges (chat_id);

CREATE TABLE imported_rows (
        kind TEXT NOT NULL,
        identity BLOB NOT NULL,
        row_id INTEGER NOT NULL,
        PRIMARY KEY (kind, identity)
    ) WITHOUT ROWID
    ;

CREATE TABLE store_identity (id TEXT NOT NULL);

CREATE TABLE import_ids (
        kind TEXT NOT NULL,
        source_id NOT NULL,
        row_id NOT NULL,
        is_added BOOLEAN NOT NULL,
        PRIMARY KEY (kind, source_id)
    ) WITHOUT ROWID
    ;

CREATE TABLE search_fill (kind INTEGER PRIMARY KEY, after_id INTEGER NOT NULL);

CREATE TABLE search_pending (
        docid INTEGER PRIMARY KEY, title TEXT, content TEXT, tags TEXT, facets TEXT
    );

CREATE VIEW search_vaults (id, docid, title, content, tags, facets) AS
        SELECT id, id + 281474976710656, title, (coalesce(summary || char(10), '') || content), tags, 'd' || hex(document_type) || ' f' || coalesce(parent_id, 0) || 
    CASE WHEN tags = '' THEN '' ELSE (
        WITH RECURSIVE separated (tag, rest) AS (
            SELECT '', tags || ','
            UNION ALL
            SELECT substr(rest, 1, instr(rest, ',') - 1), substr(rest, instr(rest, ',') + 1) FROM separated
            WHERE rest != ''
        )
        SELECT coalesce(group_concat(' t' || hex(lower(trim(tag))), ''), '') FROM separated WHERE trim(tag) != ''
    ) END

        FROM vaults WHERE is_deleted = 0 AND id BETWEEN 0 AND 281474976710655;

CREATE VIEW search_todo (id, docid, title, content, tags, facets) AS
        SELECT id, id + 562949953421312, '', (content || coalesce(char(10) || reason, '')), '', ''
        FROM todo WHERE TRUE AND id BETWEEN 0 AND 281474976710655;

CREATE VIEW search_activity (id, docid, title, content, tags, facets) AS
        SELECT id, id + 844424930131968, title, content, '', ''
        FROM activity WHERE TRUE AND id BETWEEN 0 AND 281474976710655;

CREATE VIEW search_tips (id, docid, title, content, tags, facets) AS
        SELECT id, id + 1125899906842624, '', content, '', ''
        FROM tips WHERE TRUE AND id BETWEEN 0 AND 281474976710655;

CREATE VIEW search_conversations (id, docid, title, content, tags, facets) AS
        SELECT id, id + 1688849860263936, title, '', '', ''
        FROM conversations WHERE title != '' AND status != 'deleted' AND id BETWEEN 0 AND 281474976710655;

CREATE TABLE processed_contexts (
        id INTEGER PRIMARY KEY,
        context_id TEXT NOT NULL UNIQUE,
        context_type TEXT NOT NULL,
        title TEXT,
        summary TEXT,
        keywords JSON TEXT NOT NULL DEFAULT '[]',
        entities JSON TEXT NOT NULL DEFAULT '[]',
        confidence REAL,
        importance REAL,
        create_time DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        event_time DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        update_time DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        call_count INTEGER NOT NULL DEFAULT 0,
        merge_count INTEGER NOT NULL DEFAULT 0,
        duration_count INTEGER NOT NULL DEFAULT 1,
        source TEXT,
        raw_type TEXT,
        raw_id TEXT,
        text TEXT NOT NULL DEFAULT '',
        metadata JSON TEXT NOT NULL DEFAULT '{}'
    );

CREATE INDEX idx_processed_contexts_type ON processed_contexts (context_type);

CREATE INDEX idx_processed_contexts_create_time ON processed_contexts (context_type, create_time);

CREATE TABLE context_vectors (
        id INTEGER PRIMARY KEY REFERENCES processed_contexts (id) ON DELETE CASCADE,
        vector BLOB NOT NULL
    );

CREATE TABLE todo_embeddings (
        todo_id INTEGER PRIMARY KEY REFERENCES todo (id) ON DELETE CASCADE,
        content TEXT NOT NULL,
        vector BLOB NOT NULL,
        metadata JSON TEXT NOT NULL DEFAULT '{}'
    );

CREATE TABLE vector_collections (
        name TEXT NOT NULL PRIMARY KEY,
        dimension INTEGER NOT NULL,
        model TEXT
    ) WITHOUT ROWID
    ;

CREATE VIEW search_processed_contexts (id, docid, title, content, tags, facets) AS
        SELECT id, id + 1970324836974592, coalesce(title, ''), (coalesce(summary || char(10), '') || text), keywords, ''
        FROM processed_contexts WHERE TRUE AND id BETWEEN 0 AND 281474976710655;

CREATE INDEX idx_token_usage_listed ON monitoring_token_usage (time_bucket);

CREATE INDEX idx_stage_timing_listed ON monitoring_stage_timing (time_bucket);

CREATE INDEX idx_data_stats_listed ON monitoring_data_stats (time_bucket);

CREATE INDEX idx_idempotency_keys_created_at ON idempotency_keys (created_at);

CREATE TABLE adopted_orphans (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    table_name TEXT NOT NULL,
    row JSON TEXT NOT NULL,
    reason TEXT NOT NULL,
    is_carried BOOLEAN NOT NULL,
    created_at DATETIME NOT NULL
, origin TEXT NOT NULL DEFAULT 'adoption', acknowledged_at DATETIME, adoption_id INTEGER);

CREATE INDEX idx_adopted_orphans_table_name ON adopted_orphans (table_name);

CREATE INDEX idx_adopted_orphans_not_acknowledged ON adopted_orphans (table_name)
    WHERE acknowledged_at IS NULL
    ;

CREATE TABLE adoptions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        system TEXT NOT NULL,
        source TEXT NOT NULL,
        time_zone TEXT NOT NULL,
        adopted_at DATETIME NOT NULL,
        report JSON TEXT NOT NULL
    );

CREATE INDEX idx_message_thinking_odd ON message_thinking (id) WHERE NOT coalesce((metadata IS NULL OR (
    metadata >= '{' AND metadata < '|' AND NOT metadata GLOB '*[0-9][eE][+0-9][0-9][0-9]*'
    AND NOT metadata GLOB '*\u[dD][89abAB]*'
)) AND created_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z' AND progress BETWEEN 0 AND 1
    AND typeof(sequence) = 'integer' AND sequence >= 0, 0);

CREATE INDEX idx_idempotency_keys_place ON idempotency_keys (begins_at, ends_at) WHERE begins_at IS NOT NULL;

CREATE INDEX idx_todo_urgency ON todo (urgency, created_at);

CREATE INDEX idx_todo_status_urgency ON todo (status, urgency, created_at);

CREATE INDEX idx_processed_contexts_raw ON processed_contexts (raw_type, raw_id, create_time)
        WHERE raw_id IS NOT NULL
    ;

CREATE INDEX idx_vaults_count_types ON vaults (is_deleted, document_type);

CREATE INDEX idx_vaults_count ON vaults (is_deleted);

CREATE INDEX idx_conversations_updated_at ON conversations (updated_at);

CREATE INDEX idx_conversations_user_page ON conversations (user_id, page_name, status);

CREATE INDEX idx_conversations_count_pages ON conversations (page_name, status);

CREATE INDEX idx_conversations_count ON conversations (id);

CREATE INDEX idx_todo_completed_at ON todo (completed_at) WHERE completed_at IS NOT NULL;

CREATE TABLE conversation_tags (
        tag TEXT NOT NULL,
        conversation_id INTEGER NOT NULL,
        PRIMARY KEY (tag, conversation_id)
    ) WITHOUT ROWID
    ;

CREATE INDEX idx_conversation_tags_conversation ON conversation_tags (conversation_id);

CREATE INDEX idx_conversations_folder ON conversations (folder, updated_at, status)
        WHERE folder IS NOT NULL
    ;

CREATE INDEX idx_conversations_pinned ON conversations (is_pinned, updated_at);

CREATE INDEX idx_conversations_created_at ON conversations (created_at, status);

CREATE TABLE monitoring_errors (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time_bucket TEXT NOT NULL,
        stage_name TEXT NOT NULL,
        message TEXT NOT NULL,
        count INTEGER NOT NULL DEFAULT 0,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        updated_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );

CREATE UNIQUE INDEX idx_errors_time_bucket ON monitoring_errors (time_bucket, stage_name, message);

CREATE TABLE monitoring_runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        processor_name TEXT NOT NULL,
        start_time DATETIME NOT NULL,
        end_time DATETIME NOT NULL,
        status TEXT NOT NULL DEFAULT 'success',
        counts JSON TEXT,
        error_message TEXT,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );

CREATE INDEX idx_runs_start_time ON monitoring_runs (start_time);

CREATE INDEX idx_runs_processor_name ON monitoring_runs (processor_name, start_time);

CREATE TABLE monitoring_session (
        id INTEGER PRIMARY KEY,
        model_calls INTEGER NOT NULL DEFAULT 0, prompt_tokens INTEGER NOT NULL DEFAULT 0, completion_tokens INTEGER NOT NULL DEFAULT 0, total_tokens INTEGER NOT NULL DEFAULT 0, stage_runs INTEGER NOT NULL DEFAULT 0, stage_errors INTEGER NOT NULL DEFAULT 0, data_count INTEGER NOT NULL DEFAULT 0, processor_runs INTEGER NOT NULL DEFAULT 0, processor_errors INTEGER NOT NULL DEFAULT 0, errors INTEGER NOT NULL DEFAULT 0,
        started_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );

CREATE UNIQUE INDEX idx_conversations_external_id
        ON conversations (source, external_id) WHERE external_id IS NOT NULL
    ;

CREATE UNIQUE INDEX idx_messages_external_id
        ON messages (conversation_id, external_id) WHERE external_id IS NOT NULL
    ;

CREATE INDEX idx_messages_usage
        ON messages (created_at, model, conversation_id, prompt_tokens, completion_tokens, cost) WHERE (model IS NOT NULL OR prompt_tokens IS NOT NULL OR completion_tokens IS NOT NULL OR cost IS NOT NULL)
    ;

CREATE INDEX idx_messages_odd ON messages (id) WHERE NOT coalesce(
    (metadata IS NULL OR (
    metadata >= '{' AND metadata < '|' AND NOT metadata GLOB '*[0-9][eE][+0-9][0-9][0-9]*'
    AND NOT metadata GLOB '*\u[dD][89abAB]*'
)) AND typeof(conversation_id) = 'integer' AND role IN (
        'user', 'assistant', 'system', 'tool', 'developer', 'function'
    )
    AND status IN ('pending', 'streaming', 'completed', 'failed', 'cancelled')
    AND created_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z' AND updated_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z' AND (completed_at IS NULL OR completed_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z')
    AND typeof(token_count) = 'integer' AND token_count >= 0 AND typeof(latency_ms) IN ('integer', 'null')
    AND (parent_message_id IS NULL OR CAST(CAST(parent_message_id AS INTEGER) AS TEXT) = parent_message_id)
    AND (coalesce(parts, prompt_tokens, completion_tokens, cost) IS NULL OR (
    (parts IS NULL OR (
        parts >= '[' AND parts < '\' AND NOT parts GLOB '*[0-9][eE][+0-9][0-9][0-9]*'
        AND NOT parts GLOB '*\u[dD][89abAB]*'
    ))
    AND (prompt_tokens IS NULL OR (typeof(prompt_tokens) = 'integer' AND prompt_tokens BETWEEN 0 AND 1000000000000))
    AND (completion_tokens IS NULL
        OR (typeof(completion_tokens) = 'integer' AND completion_tokens BETWEEN 0 AND 1000000000000))
    AND (cost IS NULL OR (typeof(cost) = 'real' AND cost BETWEEN 0 AND 1000000000000))
)), 0);

CREATE VIRTUAL TABLE search_index USING fts5 (
    title, headings, content, tags, signs, facets, content = '', tokenize = 'ascii'
);

CREATE TABLE search_format (version TEXT NOT NULL);

CREATE VIEW search_messages (id, docid, title, content, tags, facets) AS
    SELECT id, id + 1407374883553280, '', content, '', 'c' || conversation_id || ' r' || hex(role)
    FROM messages WHERE content != '' AND id BETWEEN 0 AND 281474976710655;

CREATE TABLE jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'queued',
        arguments JSON TEXT,
        done INTEGER NOT NULL DEFAULT 0,
        total INTEGER,
        message TEXT,
        result JSON TEXT,
        error TEXT,
        error_code TEXT,
        is_cancelling BOOLEAN NOT NULL DEFAULT 0,
        is_repeatable BOOLEAN NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        failures INTEGER NOT NULL DEFAULT 0,
        crashes INTEGER NOT NULL DEFAULT 0,
        run TEXT,
        created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        started_at DATETIME,
        finished_at DATETIME
    );

CREATE INDEX idx_jobs_created_at ON jobs (created_at);

CREATE INDEX idx_jobs_status ON jobs (status, created_at);

CREATE INDEX idx_jobs_name ON jobs (name, created_at);

CREATE INDEX idx_jobs_queue ON jobs (name, id) WHERE status = 'queued';

CREATE INDEX idx_jobs_finished_at ON jobs (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE preferences (
        id TEXT NOT NULL PRIMARY KEY,
        value TEXT,
        updated_at TEXT NOT NULL
    );

CREATE TABLE task_runs (
        name TEXT NOT NULL PRIMARY KEY,
        ran_at TEXT NOT NULL
    );

CREATE TABLE guard_values (name, kind, given, is_kept, stored, is_refused);

CREATE TRIGGER search_vaults_inserted AFTER INSERT ON vaults 
        WHEN new.id BETWEEN 0 AND 281474976710655
        BEGIN INSERT INTO search_pending (docid) VALUES (new.id + 281474976710656) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER search_vaults_changing BEFORE UPDATE OF id, title, summary, content, tags, document_type, parent_id, is_deleted ON vaults BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_vaults AS touched
            WHERE id = old.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_vaults_changed AFTER UPDATE OF id, title, summary, content, tags, document_type, parent_id, is_deleted ON vaults 
        WHEN new.id BETWEEN 0 AND 281474976710655
        BEGIN INSERT INTO search_pending (docid) VALUES (new.id + 281474976710656) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER search_vaults_deleting BEFORE DELETE ON vaults BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_vaults AS touched
            WHERE id = old.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_vaults_replacing BEFORE INSERT ON vaults
        WHEN new.id >= 0 AND EXISTS (SELECT 1 FROM vaults WHERE id = new.id) BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_vaults AS touched
            WHERE id = new.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_todo_inserted AFTER INSERT ON todo 
        WHEN new.id BETWEEN 0 AND 281474976710655
        BEGIN INSERT INTO search_pending (docid) VALUES (new.id + 562949953421312) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER search_todo_changing BEFORE UPDATE OF id, content, reason ON todo BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_todo AS touched
            WHERE id = old.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_todo_changed AFTER UPDATE OF id, content, reason ON todo 
        WHEN new.id BETWEEN 0 AND 281474976710655
        BEGIN INSERT INTO search_pending (docid) VALUES (new.id + 562949953421312) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER search_todo_deleting BEFORE DELETE ON todo BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_todo AS touched
            WHERE id = old.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_todo_replacing BEFORE INSERT ON todo
        WHEN new.id >= 0 AND EXISTS (SELECT 1 FROM todo WHERE id = new.id) BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_todo AS touched
            WHERE id = new.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_activity_inserted AFTER INSERT ON activity 
        WHEN new.id BETWEEN 0 AND 281474976710655
        BEGIN INSERT INTO search_pending (docid) VALUES (new.id + 844424930131968) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER search_activity_changing BEFORE UPDATE OF id, title, content ON activity BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_activity AS touched
            WHERE id = old.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_activity_changed AFTER UPDATE OF id, title, content ON activity 
        WHEN new.id BETWEEN 0 AND 281474976710655
        BEGIN INSERT INTO search_pending (docid) VALUES (new.id + 844424930131968) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER search_activity_deleting BEFORE DELETE ON activity BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_activity AS touched
            WHERE id = old.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_activity_replacing BEFORE INSERT ON activity
        WHEN new.id >= 0 AND EXISTS (SELECT 1 FROM activity WHERE id = new.id) BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_activity AS touched
            WHERE id = new.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_tips_inserted AFTER INSERT ON tips 
        WHEN new.id BETWEEN 0 AND 281474976710655
        BEGIN INSERT INTO search_pending (docid) VALUES (new.id + 1125899906842624) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER search_tips_changing BEFORE UPDATE OF id, content ON tips BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_tips AS touched
            WHERE id = old.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_tips_changed AFTER UPDATE OF id, content ON tips 
        WHEN new.id BETWEEN 0 AND 281474976710655
        BEGIN INSERT INTO search_pending (docid) VALUES (new.id + 1125899906842624) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER search_tips_deleting BEFORE DELETE ON tips BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_tips AS touched
            WHERE id = old.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_tips_replacing BEFORE INSERT ON tips
        WHEN new.id >= 0 AND EXISTS (SELECT 1 FROM tips WHERE id = new.id) BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_tips AS touched
            WHERE id = new.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_messages_inserted AFTER INSERT ON messages 
        WHEN new.id BETWEEN 0 AND 281474976710655
        BEGIN INSERT INTO search_pending (docid) VALUES (new.id + 1407374883553280) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER search_messages_deleting BEFORE DELETE ON messages BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_messages AS touched
            WHERE id = old.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_messages_replacing BEFORE INSERT ON messages
        WHEN new.id >= 0 AND EXISTS (SELECT 1 FROM messages WHERE id = new.id) BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_messages AS touched
            WHERE id = new.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_conversations_inserted AFTER INSERT ON conversations 
        WHEN new.id BETWEEN 0 AND 281474976710655
        BEGIN INSERT INTO search_pending (docid) VALUES (new.id + 1688849860263936) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER search_conversations_changing BEFORE UPDATE OF id, title, status ON conversations BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_conversations AS touched
            WHERE id = old.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_conversations_changed AFTER UPDATE OF id, title, status ON conversations 
        WHEN new.id BETWEEN 0 AND 281474976710655
        BEGIN INSERT INTO search_pending (docid) VALUES (new.id + 1688849860263936) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER search_conversations_deleting BEFORE DELETE ON conversations BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_conversations AS touched
            WHERE id = old.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_conversations_replacing BEFORE INSERT ON conversations
        WHEN new.id >= 0 AND EXISTS (SELECT 1 FROM conversations WHERE id = new.id) BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_conversations AS touched
            WHERE id = new.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_processed_contexts_inserted AFTER INSERT ON processed_contexts 
        WHEN new.id BETWEEN 0 AND 281474976710655
        BEGIN INSERT INTO search_pending (docid) VALUES (new.id + 1970324836974592) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER search_processed_contexts_changing BEFORE UPDATE OF id, title, summary, text, keywords ON processed_contexts BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_processed_contexts AS touched
            WHERE id = old.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_processed_contexts_changed AFTER UPDATE OF id, title, summary, text, keywords ON processed_contexts 
        WHEN new.id BETWEEN 0 AND 281474976710655
        BEGIN INSERT INTO search_pending (docid) VALUES (new.id + 1970324836974592) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER search_processed_contexts_deleting BEFORE DELETE ON processed_contexts BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_processed_contexts AS touched
            WHERE id = old.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER search_processed_contexts_replacing BEFORE INSERT ON processed_contexts
        WHEN new.id >= 0 AND EXISTS (SELECT 1 FROM processed_contexts WHERE id = new.id) BEGIN 
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM search_processed_contexts AS touched
            WHERE id = new.id
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            ON CONFLICT DO NOTHING;
         END;

CREATE TRIGGER completion_todo_completed AFTER UPDATE OF status ON todo
    WHEN new.status = 1 AND old.status IS NOT 1 AND new.completed_at IS NULL
    BEGIN
        UPDATE todo SET
            completed_at = CASE WHEN end_time IS NULL OR new.end_time IS old.end_time THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now') ELSE end_time END,
            end_is_completion = end_time IS NOT NULL AND new.end_time IS NOT old.end_time
        WHERE rowid = new.rowid;
    END;

CREATE TRIGGER completion_todo_reopened AFTER UPDATE OF status ON todo
    WHEN new.status IS NOT 1 AND old.status = 1 AND new.completed_at IS NOT NULL
    BEGIN
        UPDATE todo SET
            completed_at = NULL,
            end_time = CASE WHEN new.end_is_completion = 1 AND new.end_time IS old.end_time THEN NULL ELSE end_time END,
            end_is_completion = 0
        WHERE rowid = new.rowid;
    END;

CREATE TRIGGER conversation_tags_inserted AFTER INSERT ON conversations WHEN new.tags != '' BEGIN
        DELETE FROM conversation_tags WHERE conversation_id = new.id;
        
    INSERT INTO conversation_tags (tag, conversation_id)
    SELECT DISTINCT trim(substr(new.tags, (64 * block.column1 + place.column1 + 1), instr(substr(new.tags || ',', (64 * block.column1 + place.column1 + 1)), ',') - 1)), new.id FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15), (16), (17), (18), (19), (20), (21), (22), (23), (24), (25), (26), (27), (28), (29), (30), (31), (32), (33), (34), (35), (36), (37), (38), (39), (40), (41), (42), (43), (44), (45), (46), (47), (48), (49), (50), (51), (52), (53), (54), (55), (56), (57), (58), (59), (60), (61), (62), (63)) AS block CROSS JOIN (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15), (16), (17), (18), (19), (20), (21), (22), (23), (24), (25), (26), (27), (28), (29), (30), (31), (32), (33), (34), (35), (36), (37), (38), (39), (40), (41), (42), (43), (44), (45), (46), (47), (48), (49), (50), (51), (52), (53), (54), (55), (56), (57), (58), (59), (60), (61), (62), (63)) AS place
    WHERE 64 * block.column1 < length(new.tags) AND substr(',' || new.tags, (64 * block.column1 + place.column1 + 1), 1) = ',' AND trim(substr(new.tags, (64 * block.column1 + place.column1 + 1), instr(substr(new.tags || ',', (64 * block.column1 + place.column1 + 1)), ',') - 1)) != ''
;
    END;

CREATE TRIGGER conversation_tags_changed AFTER UPDATE OF tags, id ON conversations
    WHEN new.tags IS NOT old.tags OR new.id != old.id BEGIN
        DELETE FROM conversation_tags WHERE conversation_id IN (old.id, new.id);
        
    INSERT INTO conversation_tags (tag, conversation_id)
    SELECT DISTINCT trim(substr(new.tags, (64 * block.column1 + place.column1 + 1), instr(substr(new.tags || ',', (64 * block.column1 + place.column1 + 1)), ',') - 1)), new.id FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15), (16), (17), (18), (19), (20), (21), (22), (23), (24), (25), (26), (27), (28), (29), (30), (31), (32), (33), (34), (35), (36), (37), (38), (39), (40), (41), (42), (43), (44), (45), (46), (47), (48), (49), (50), (51), (52), (53), (54), (55), (56), (57), (58), (59), (60), (61), (62), (63)) AS block CROSS JOIN (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15), (16), (17), (18), (19), (20), (21), (22), (23), (24), (25), (26), (27), (28), (29), (30), (31), (32), (33), (34), (35), (36), (37), (38), (39), (40), (41), (42), (43), (44), (45), (46), (47), (48), (49), (50), (51), (52), (53), (54), (55), (56), (57), (58), (59), (60), (61), (62), (63)) AS place
    WHERE 64 * block.column1 < length(new.tags) AND substr(',' || new.tags, (64 * block.column1 + place.column1 + 1), 1) = ',' AND trim(substr(new.tags, (64 * block.column1 + place.column1 + 1), instr(substr(new.tags || ',', (64 * block.column1 + place.column1 + 1)), ',') - 1)) != ''
;
    END;

CREATE TRIGGER conversation_tags_deleted AFTER DELETE ON conversations
    BEGIN
        DELETE FROM conversation_tags WHERE conversation_id = old.id;
    END;

CREATE TRIGGER search_messages_changing BEFORE UPDATE OF id, content, conversation_id, role ON messages BEGIN 
    INSERT INTO search_pending (docid, title, content, tags, facets)
    SELECT docid, title, content, tags, facets FROM search_messages AS touched
    WHERE id = old.id AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
    ON CONFLICT DO NOTHING;
 END;

CREATE TRIGGER search_messages_changed AFTER UPDATE OF id, content, conversation_id, role ON messages
    WHEN new.id BETWEEN 0 AND 281474976710655
    BEGIN INSERT INTO search_pending (docid) VALUES (new.id + 1407374883553280) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER guard_values_rules AFTER INSERT ON guard_values BEGIN
            UPDATE guard_values
            SET stored = CASE WHEN new.is_kept THEN new.given ELSE CASE rtrim(new.kind, '?') WHEN 'time' THEN strftime('%Y-%m-%dT%H:%M:%fZ', CASE WHEN typeof(new.given) IN ('integer', 'real') AND new.given NOT BETWEEN -100000000000 AND 100000000000 THEN new.given / 1000.0 ELSE new.given END, CASE WHEN typeof(new.given) IN ('integer', 'real') AND new.given NOT BETWEEN 0 AND 5373484.5 THEN 'unixepoch' ELSE '+0 days' END) WHEN 'boolean' THEN CASE
    WHEN typeof(new.given) IN ('integer', 'real') THEN new.given != 0
    WHEN lower(trim(new.given)) IN ('true', 't', 'yes', '1') THEN 1
    WHEN lower(trim(new.given)) IN ('false', 'f', 'no', '0') THEN 0 END WHEN 'integer' THEN CASE WHEN typeof(new.given) = 'integer' THEN new.given END WHEN 'count' THEN CASE WHEN typeof(new.given) = 'integer' AND new.given >= 0 THEN new.given END WHEN 'tokens' THEN CASE WHEN typeof(new.given) = 'integer' AND new.given BETWEEN 0 AND 1000000000000 THEN new.given END WHEN 'cost' THEN CASE WHEN typeof(new.given) = 'real' AND new.given BETWEEN 0 AND 1000000000000 THEN new.given END WHEN 'share' THEN CASE WHEN new.given BETWEEN 0 AND 1 THEN new.given END WHEN 'key_500' THEN CASE WHEN typeof(new.given) = 'text' AND length(CAST(new.given AS BLOB)) > 0 AND length(new.given) <= 500 THEN new.given END WHEN 'key_200' THEN CASE WHEN typeof(new.given) = 'text' AND length(CAST(new.given AS BLOB)) > 0 AND length(new.given) <= 200 THEN new.given END END END
            WHERE rowid = new.rowid;
            UPDATE guard_values
            SET is_refused = NOT new.is_kept AND stored IS NULL AND (new.given IS NOT NULL OR new.kind NOT LIKE '%?')
            WHERE rowid = new.rowid;
        END;

CREATE TRIGGER guard_vaults_inserted AFTER INSERT ON vaults WHEN NOT coalesce((new."created_at" GLOB '????-??-??T??:??:??.???Z') AND (new."updated_at" GLOB '????-??-??T??:??:??.???Z') AND ((new."parent_id" IS NULL OR typeof(new."parent_id") = 'integer') AND new."parent_id" IS NOT new.id) AND (typeof(new."sort_order") = 'integer') AND (new."deleted_with" IS NULL OR typeof(new."deleted_with") = 'integer') AND (new."is_folder" IN (0, 1)) AND (new."is_deleted" IN (0, 1)), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('created_at', 'time?', new."created_at", 0), ('updated_at', 'time?', new."updated_at", 0), ('parent_id', 'integer?', nullif(new."parent_id", new.id), 0), ('sort_order', 'integer', new."sort_order", 0), ('deleted_with', 'integer?', new."deleted_with", 0), ('is_folder', 'boolean', new."is_folder", 0), ('is_deleted', 'boolean', new."is_deleted", 0);
        SELECT CASE name WHEN 'created_at' THEN RAISE(ABORT, 'vaults.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'updated_at' THEN RAISE(ABORT, 'vaults.updated_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'parent_id' THEN RAISE(ABORT, 'vaults.parent_id must be a whole number') WHEN 'sort_order' THEN RAISE(ABORT, 'vaults.sort_order must be a whole number') WHEN 'deleted_with' THEN RAISE(ABORT, 'vaults.deleted_with must be a whole number') WHEN 'is_folder' THEN RAISE(ABORT, 'vaults.is_folder must be 0 or 1') WHEN 'is_deleted' THEN RAISE(ABORT, 'vaults.is_deleted must be 0 or 1') END FROM guard_values WHERE is_refused;
        UPDATE vaults SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at'), "updated_at" = (SELECT stored FROM guard_values WHERE name = 'updated_at'), "parent_id" = (SELECT stored FROM guard_values WHERE name = 'parent_id'), "is_folder" = (SELECT stored FROM guard_values WHERE name = 'is_folder'), "is_deleted" = (SELECT stored FROM guard_values WHERE name = 'is_deleted') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_vaults_changed AFTER UPDATE OF "created_at", "updated_at", "parent_id", "sort_order", "deleted_with", "is_folder", "is_deleted" ON vaults WHEN NOT coalesce(((new."created_at" GLOB '????-??-??T??:??:??.???Z') OR new."created_at" IS old."created_at") AND ((new."updated_at" GLOB '????-??-??T??:??:??.???Z') OR new."updated_at" IS old."updated_at") AND (((new."parent_id" IS NULL OR typeof(new."parent_id") = 'integer') AND new."parent_id" IS NOT new.id) OR new."parent_id" IS old."parent_id") AND ((typeof(new."sort_order") = 'integer') OR new."sort_order" IS old."sort_order") AND ((new."deleted_with" IS NULL OR typeof(new."deleted_with") = 'integer') OR new."deleted_with" IS old."deleted_with") AND ((new."is_folder" IN (0, 1)) OR new."is_folder" IS old."is_folder") AND ((new."is_deleted" IN (0, 1)) OR new."is_deleted" IS old."is_deleted"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('created_at', 'time?', new."created_at", new."created_at" IS old."created_at"), ('updated_at', 'time?', new."updated_at", new."updated_at" IS old."updated_at"), ('parent_id', 'integer?', nullif(new."parent_id", new.id), new."parent_id" IS old."parent_id"), ('sort_order', 'integer', new."sort_order", new."sort_order" IS old."sort_order"), ('deleted_with', 'integer?', new."deleted_with", new."deleted_with" IS old."deleted_with"), ('is_folder', 'boolean', new."is_folder", new."is_folder" IS old."is_folder"), ('is_deleted', 'boolean', new."is_deleted", new."is_deleted" IS old."is_deleted");
        SELECT CASE name WHEN 'created_at' THEN RAISE(ABORT, 'vaults.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'updated_at' THEN RAISE(ABORT, 'vaults.updated_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'parent_id' THEN RAISE(ABORT, 'vaults.parent_id must be a whole number') WHEN 'sort_order' THEN RAISE(ABORT, 'vaults.sort_order must be a whole number') WHEN 'deleted_with' THEN RAISE(ABORT, 'vaults.deleted_with must be a whole number') WHEN 'is_folder' THEN RAISE(ABORT, 'vaults.is_folder must be 0 or 1') WHEN 'is_deleted' THEN RAISE(ABORT, 'vaults.is_deleted must be 0 or 1') END FROM guard_values WHERE is_refused;
        UPDATE vaults SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at'), "updated_at" = (SELECT stored FROM guard_values WHERE name = 'updated_at'), "parent_id" = (SELECT stored FROM guard_values WHERE name = 'parent_id'), "is_folder" = (SELECT stored FROM guard_values WHERE name = 'is_folder'), "is_deleted" = (SELECT stored FROM guard_values WHERE name = 'is_deleted') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_todo_inserted AFTER INSERT ON todo WHEN NOT coalesce((new."created_at" GLOB '????-??-??T??:??:??.???Z') AND (new."start_time" IS NULL OR new."start_time" GLOB '????-??-??T??:??:??.???Z') AND (new."end_time" IS NULL OR new."end_time" GLOB '????-??-??T??:??:??.???Z') AND (new."completed_at" IS NULL OR new."completed_at" GLOB '????-??-??T??:??:??.???Z') AND (typeof(new."urgency") = 'integer') AND (new."end_is_completion" IS NULL OR typeof(new."end_is_completion") = 'integer'), 0) OR (new.end_is_completion IS NULL AND new.status = 1 AND new.completed_at IS NULL) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('created_at', 'time?', new."created_at", 0), ('start_time', 'time?', new."start_time", 0), ('end_time', 'time?', new."end_time", 0), ('completed_at', 'time?', new."completed_at", 0), ('urgency', 'integer', new."urgency", 0), ('end_is_completion', 'integer?', new."end_is_completion", 0);
        SELECT CASE name WHEN 'created_at' THEN RAISE(ABORT, 'todo.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'start_time' THEN RAISE(ABORT, 'todo.start_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'end_time' THEN RAISE(ABORT, 'todo.end_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'completed_at' THEN RAISE(ABORT, 'todo.completed_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'urgency' THEN RAISE(ABORT, 'todo.urgency must be a whole number') WHEN 'end_is_completion' THEN RAISE(ABORT, 'todo.end_is_completion must be a whole number') END FROM guard_values WHERE is_refused;
        UPDATE todo SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at'), "start_time" = (SELECT stored FROM guard_values WHERE name = 'start_time'), "end_time" = (SELECT stored FROM guard_values WHERE name = 'end_time'), "completed_at" = (SELECT stored FROM guard_values WHERE name = 'completed_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     
    UPDATE todo SET completed_at = end_time, end_is_completion = end_time IS NOT NULL
    WHERE rowid = new.rowid AND end_is_completion IS NULL AND status = 1 AND completed_at IS NULL;
 END;

CREATE TRIGGER guard_todo_changed AFTER UPDATE OF "created_at", "start_time", "end_time", "completed_at", "urgency", "end_is_completion" ON todo WHEN NOT coalesce(((new."created_at" GLOB '????-??-??T??:??:??.???Z') OR new."created_at" IS old."created_at") AND ((new."start_time" IS NULL OR new."start_time" GLOB '????-??-??T??:??:??.???Z') OR new."start_time" IS old."start_time") AND ((new."end_time" IS NULL OR new."end_time" GLOB '????-??-??T??:??:??.???Z') OR new."end_time" IS old."end_time") AND ((new."completed_at" IS NULL OR new."completed_at" GLOB '????-??-??T??:??:??.???Z') OR new."completed_at" IS old."completed_at") AND ((typeof(new."urgency") = 'integer') OR new."urgency" IS old."urgency") AND ((new."end_is_completion" IS NULL OR typeof(new."end_is_completion") = 'integer') OR new."end_is_completion" IS old."end_is_completion"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('created_at', 'time?', new."created_at", new."created_at" IS old."created_at"), ('start_time', 'time?', new."start_time", new."start_time" IS old."start_time"), ('end_time', 'time?', new."end_time", new."end_time" IS old."end_time"), ('completed_at', 'time?', new."completed_at", new."completed_at" IS old."completed_at"), ('urgency', 'integer', new."urgency", new."urgency" IS old."urgency"), ('end_is_completion', 'integer?', new."end_is_completion", new."end_is_completion" IS old."end_is_completion");
        SELECT CASE name WHEN 'created_at' THEN RAISE(ABORT, 'todo.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'start_time' THEN RAISE(ABORT, 'todo.start_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'end_time' THEN RAISE(ABORT, 'todo.end_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'completed_at' THEN RAISE(ABORT, 'todo.completed_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'urgency' THEN RAISE(ABORT, 'todo.urgency must be a whole number') WHEN 'end_is_completion' THEN RAISE(ABORT, 'todo.end_is_completion must be a whole number') END FROM guard_values WHERE is_refused;
        UPDATE todo SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at'), "start_time" = (SELECT stored FROM guard_values WHERE name = 'start_time'), "end_time" = (SELECT stored FROM guard_values WHERE name = 'end_time'), "completed_at" = (SELECT stored FROM guard_values WHERE name = 'completed_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_activity_inserted AFTER INSERT ON activity WHEN NOT coalesce((new."start_time" GLOB '????-??-??T??:??:??.???Z') AND (new."end_time" GLOB '????-??-??T??:??:??.???Z') AND (new."created_at" IS NULL OR new."created_at" GLOB '????-??-??T??:??:??.???Z'), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('start_time', 'time?', new."start_time", 0), ('end_time', 'time?', new."end_time", 0), ('created_at', 'time?', new."created_at", 0);
        SELECT CASE name WHEN 'start_time' THEN RAISE(ABORT, 'activity.start_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'end_time' THEN RAISE(ABORT, 'activity.end_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'created_at' THEN RAISE(ABORT, 'activity.created_at must be a time, such as 2026-01-31T09:30:00.000Z') END FROM guard_values WHERE is_refused;
        UPDATE activity SET "start_time" = (SELECT stored FROM guard_values WHERE name = 'start_time'), "end_time" = (SELECT stored FROM guard_values WHERE name = 'end_time'), "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_activity_changed AFTER UPDATE OF "start_time", "end_time", "created_at" ON activity WHEN NOT coalesce(((new."start_time" GLOB '????-??-??T??:??:??.???Z') OR new."start_time" IS old."start_time") AND ((new."end_time" GLOB '????-??-??T??:??:??.???Z') OR new."end_time" IS old."end_time") AND ((new."created_at" IS NULL OR new."created_at" GLOB '????-??-??T??:??:??.???Z') OR new."created_at" IS old."created_at"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('start_time', 'time?', new."start_time", new."start_time" IS old."start_time"), ('end_time', 'time?', new."end_time", new."end_time" IS old."end_time"), ('created_at', 'time?', new."created_at", new."created_at" IS old."created_at");
        SELECT CASE name WHEN 'start_time' THEN RAISE(ABORT, 'activity.start_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'end_time' THEN RAISE(ABORT, 'activity.end_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'created_at' THEN RAISE(ABORT, 'activity.created_at must be a time, such as 2026-01-31T09:30:00.000Z') END FROM guard_values WHERE is_refused;
        UPDATE activity SET "start_time" = (SELECT stored FROM guard_values WHERE name = 'start_time'), "end_time" = (SELECT stored FROM guard_values WHERE name = 'end_time'), "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_tips_inserted AFTER INSERT ON tips WHEN NOT coalesce((new."created_at" GLOB '????-??-??T??:??:??.???Z'), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('created_at', 'time?', new."created_at", 0);
        SELECT CASE name WHEN 'created_at' THEN RAISE(ABORT, 'tips.created_at must be a time, such as 2026-01-31T09:30:00.000Z') END FROM guard_values WHERE is_refused;
        UPDATE tips SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_tips_changed AFTER UPDATE OF "created_at" ON tips WHEN NOT coalesce(((new."created_at" GLOB '????-??-??T??:??:??.???Z') OR new."created_at" IS old."created_at"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('created_at', 'time?', new."created_at", new."created_at" IS old."created_at");
        SELECT CASE name WHEN 'created_at' THEN RAISE(ABORT, 'tips.created_at must be a time, such as 2026-01-31T09:30:00.000Z') END FROM guard_values WHERE is_refused;
        UPDATE tips SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_conversations_inserted AFTER INSERT ON conversations WHEN NOT coalesce((new."created_at" GLOB '????-??-??T??:??:??.???Z') AND (new."updated_at" GLOB '????-??-??T??:??:??.???Z') AND (new."is_pinned" IN (0, 1)), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('created_at', 'time?', new."created_at", 0), ('updated_at', 'time?', new."updated_at", 0), ('is_pinned', 'boolean', new."is_pinned", 0);
        SELECT CASE name WHEN 'created_at' THEN RAISE(ABORT, 'conversations.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'updated_at' THEN RAISE(ABORT, 'conversations.updated_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'is_pinned' THEN RAISE(ABORT, 'conversations.is_pinned must be 0 or 1') END FROM guard_values WHERE is_refused;
        UPDATE conversations SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at'), "updated_at" = (SELECT stored FROM guard_values WHERE name = 'updated_at'), "is_pinned" = (SELECT stored FROM guard_values WHERE name = 'is_pinned') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_conversations_changed AFTER UPDATE OF "created_at", "updated_at", "is_pinned" ON conversations WHEN NOT coalesce(((new."created_at" GLOB '????-??-??T??:??:??.???Z') OR new."created_at" IS old."created_at") AND ((new."updated_at" GLOB '????-??-??T??:??:??.???Z') OR new."updated_at" IS old."updated_at") AND ((new."is_pinned" IN (0, 1)) OR new."is_pinned" IS old."is_pinned"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('created_at', 'time?', new."created_at", new."created_at" IS old."created_at"), ('updated_at', 'time?', new."updated_at", new."updated_at" IS old."updated_at"), ('is_pinned', 'boolean', new."is_pinned", new."is_pinned" IS old."is_pinned");
        SELECT CASE name WHEN 'created_at' THEN RAISE(ABORT, 'conversations.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'updated_at' THEN RAISE(ABORT, 'conversations.updated_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'is_pinned' THEN RAISE(ABORT, 'conversations.is_pinned must be 0 or 1') END FROM guard_values WHERE is_refused;
        UPDATE conversations SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at'), "updated_at" = (SELECT stored FROM guard_values WHERE name = 'updated_at'), "is_pinned" = (SELECT stored FROM guard_values WHERE name = 'is_pinned') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_messages_inserted AFTER INSERT ON messages WHEN NOT coalesce((new."prompt_tokens" IS NULL OR typeof(new."prompt_tokens") = 'integer' AND new."prompt_tokens" BETWEEN 0 AND 1000000000000) AND (new."completion_tokens" IS NULL OR typeof(new."completion_tokens") = 'integer' AND new."completion_tokens" BETWEEN 0 AND 1000000000000) AND (new."cost" IS NULL OR typeof(new."cost") = 'real' AND new."cost" BETWEEN 0 AND 1000000000000) AND (new."created_at" GLOB '????-??-??T??:??:??.???Z') AND (new."updated_at" GLOB '????-??-??T??:??:??.???Z') AND (new."completed_at" IS NULL OR new."completed_at" GLOB '????-??-??T??:??:??.???Z') AND (new."latency_ms" IS NULL OR typeof(new."latency_ms") = 'integer') AND (typeof(new."token_count") = 'integer' AND new."token_count" >= 0), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('prompt_tokens', 'tokens?', new."prompt_tokens", 0), ('completion_tokens', 'tokens?', new."completion_tokens", 0), ('cost', 'cost?', new."cost", 0), ('created_at', 'time?', new."created_at", 0), ('updated_at', 'time?', new."updated_at", 0), ('completed_at', 'time?', new."completed_at", 0), ('latency_ms', 'integer?', new."latency_ms", 0), ('token_count', 'count', new."token_count", 0);
        SELECT CASE name WHEN 'prompt_tokens' THEN RAISE(ABORT, 'messages.prompt_tokens must be a whole number from 0 to 1000000000000') WHEN 'completion_tokens' THEN RAISE(ABORT, 'messages.completion_tokens must be a whole number from 0 to 1000000000000') WHEN 'cost' THEN RAISE(ABORT, 'messages.cost must be a number from 0 to 1000000000000') WHEN 'created_at' THEN RAISE(ABORT, 'messages.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'updated_at' THEN RAISE(ABORT, 'messages.updated_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'completed_at' THEN RAISE(ABORT, 'messages.completed_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'latency_ms' THEN RAISE(ABORT, 'messages.latency_ms must be a whole number') WHEN 'token_count' THEN RAISE(ABORT, 'messages.token_count must be a whole number from 0 on') END FROM guard_values WHERE is_refused;
        UPDATE messages SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at'), "updated_at" = (SELECT stored FROM guard_values WHERE name = 'updated_at'), "completed_at" = (SELECT stored FROM guard_values WHERE name = 'completed_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_messages_changed AFTER UPDATE OF "prompt_tokens", "completion_tokens", "cost", "created_at", "updated_at", "completed_at", "latency_ms", "token_count" ON messages WHEN NOT coalesce(((new."prompt_tokens" IS NULL OR typeof(new."prompt_tokens") = 'integer' AND new."prompt_tokens" BETWEEN 0 AND 1000000000000) OR new."prompt_tokens" IS old."prompt_tokens") AND ((new."completion_tokens" IS NULL OR typeof(new."completion_tokens") = 'integer' AND new."completion_tokens" BETWEEN 0 AND 1000000000000) OR new."completion_tokens" IS old."completion_tokens") AND ((new."cost" IS NULL OR typeof(new."cost") = 'real' AND new."cost" BETWEEN 0 AND 1000000000000) OR new."cost" IS old."cost") AND ((new."created_at" GLOB '????-??-??T??:??:??.???Z') OR new."created_at" IS old."created_at") AND ((new."updated_at" GLOB '????-??-??T??:??:??.???Z') OR new."updated_at" IS old."updated_at") AND ((new."completed_at" IS NULL OR new."completed_at" GLOB '????-??-??T??:??:??.???Z') OR new."completed_at" IS old."completed_at") AND ((new."latency_ms" IS NULL OR typeof(new."latency_ms") = 'integer') OR new."latency_ms" IS old."latency_ms") AND ((typeof(new."token_count") = 'integer' AND new."token_count" >= 0) OR new."token_count" IS old."token_count"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('prompt_tokens', 'tokens?', new."prompt_tokens", new."prompt_tokens" IS old."prompt_tokens"), ('completion_tokens', 'tokens?', new."completion_tokens", new."completion_tokens" IS old."completion_tokens"), ('cost', 'cost?', new."cost", new."cost" IS old."cost"), ('created_at', 'time?', new."created_at", new."created_at" IS old."created_at"), ('updated_at', 'time?', new."updated_at", new."updated_at" IS old."updated_at"), ('completed_at', 'time?', new."completed_at", new."completed_at" IS old."completed_at"), ('latency_ms', 'integer?', new."latency_ms", new."latency_ms" IS old."latency_ms"), ('token_count', 'count', new."token_count", new."token_count" IS old."token_count");
        SELECT CASE name WHEN 'prompt_tokens' THEN RAISE(ABORT, 'messages.prompt_tokens must be a whole number from 0 to 1000000000000') WHEN 'completion_tokens' THEN RAISE(ABORT, 'messages.completion_tokens must be a whole number from 0 to 1000000000000') WHEN 'cost' THEN RAISE(ABORT, 'messages.cost must be a number from 0 to 1000000000000') WHEN 'created_at' THEN RAISE(ABORT, 'messages.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'updated_at' THEN RAISE(ABORT, 'messages.updated_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'completed_at' THEN RAISE(ABORT, 'messages.completed_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'latency_ms' THEN RAISE(ABORT, 'messages.latency_ms must be a whole number') WHEN 'token_count' THEN RAISE(ABORT, 'messages.token_count must be a whole number from 0 on') END FROM guard_values WHERE is_refused;
        UPDATE messages SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at'), "updated_at" = (SELECT stored FROM guard_values WHERE name = 'updated_at'), "completed_at" = (SELECT stored FROM guard_values WHERE name = 'completed_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_message_chunks_inserted AFTER INSERT ON message_chunks WHEN NOT coalesce((typeof(new."sequence") = 'integer' AND new."sequence" >= 0) AND (typeof(new."token_count") = 'integer' AND new."token_count" >= 0), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('sequence', 'count', new."sequence", 0), ('token_count', 'count', new."token_count", 0);
        SELECT CASE name WHEN 'sequence' THEN RAISE(ABORT, 'message_chunks.sequence must be a whole number from 0 on') WHEN 'token_count' THEN RAISE(ABORT, 'message_chunks.token_count must be a whole number from 0 on') END FROM guard_values WHERE is_refused;
        
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_message_chunks_changed AFTER UPDATE OF "sequence", "token_count" ON message_chunks WHEN NOT coalesce(((typeof(new."sequence") = 'integer' AND new."sequence" >= 0) OR new."sequence" IS old."sequence") AND ((typeof(new."token_count") = 'integer' AND new."token_count" >= 0) OR new."token_count" IS old."token_count"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('sequence', 'count', new."sequence", new."sequence" IS old."sequence"), ('token_count', 'count', new."token_count", new."token_count" IS old."token_count");
        SELECT CASE name WHEN 'sequence' THEN RAISE(ABORT, 'message_chunks.sequence must be a whole number from 0 on') WHEN 'token_count' THEN RAISE(ABORT, 'message_chunks.token_count must be a whole number from 0 on') END FROM guard_values WHERE is_refused;
        
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_message_thinking_inserted AFTER INSERT ON message_thinking WHEN NOT coalesce((new."created_at" GLOB '????-??-??T??:??:??.???Z') AND (typeof(new."sequence") = 'integer' AND new."sequence" >= 0) AND (new."progress" BETWEEN 0 AND 1), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('created_at', 'time?', new."created_at", 0), ('sequence', 'count', new."sequence", 0), ('progress', 'share', new."progress", 0);
        SELECT CASE name WHEN 'created_at' THEN RAISE(ABORT, 'message_thinking.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'sequence' THEN RAISE(ABORT, 'message_thinking.sequence must be a whole number from 0 on') WHEN 'progress' THEN RAISE(ABORT, 'message_thinking.progress must be a number from 0 to 1') END FROM guard_values WHERE is_refused;
        UPDATE message_thinking SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_message_thinking_changed AFTER UPDATE OF "created_at", "sequence", "progress" ON message_thinking WHEN NOT coalesce(((new."created_at" GLOB '????-??-??T??:??:??.???Z') OR new."created_at" IS old."created_at") AND ((typeof(new."sequence") = 'integer' AND new."sequence" >= 0) OR new."sequence" IS old."sequence") AND ((new."progress" BETWEEN 0 AND 1) OR new."progress" IS old."progress"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('created_at', 'time?', new."created_at", new."created_at" IS old."created_at"), ('sequence', 'count', new."sequence", new."sequence" IS old."sequence"), ('progress', 'share', new."progress", new."progress" IS old."progress");
        SELECT CASE name WHEN 'created_at' THEN RAISE(ABORT, 'message_thinking.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'sequence' THEN RAISE(ABORT, 'message_thinking.sequence must be a whole number from 0 on') WHEN 'progress' THEN RAISE(ABORT, 'message_thinking.progress must be a number from 0 to 1') END FROM guard_values WHERE is_refused;
        UPDATE message_thinking SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_chats_inserted AFTER INSERT ON chats WHEN NOT coalesce((new."created_at" GLOB '????-??-??T??:??:??.???Z') AND (new."updated_at" GLOB '????-??-??T??:??:??.???Z') AND (typeof(new."id") = 'text' AND length(CAST(new."id" AS BLOB)) > 0 AND length(new."id") <= 500), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('created_at', 'time?', new."created_at", 0), ('updated_at', 'time?', new."updated_at", 0), ('id', 'key_500', new."id", 0);
        SELECT CASE name WHEN 'created_at' THEN RAISE(ABORT, 'chats.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'updated_at' THEN RAISE(ABORT, 'chats.updated_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'id' THEN RAISE(ABORT, 'chats.id must be a text of 1 to 500 characters') END FROM guard_values WHERE is_refused;
        UPDATE chats SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at'), "updated_at" = (SELECT stored FROM guard_values WHERE name = 'updated_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_chats_changed AFTER UPDATE OF "created_at", "updated_at", "id" ON chats WHEN NOT coalesce(((new."created_at" GLOB '????-??-??T??:??:??.???Z') OR new."created_at" IS old."created_at") AND ((new."updated_at" GLOB '????-??-??T??:??:??.???Z') OR new."updated_at" IS old."updated_at") AND ((typeof(new."id") = 'text' AND length(CAST(new."id" AS BLOB)) > 0 AND length(new."id") <= 500) OR new."id" IS old."id"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('created_at', 'time?', new."created_at", new."created_at" IS old."created_at"), ('updated_at', 'time?', new."updated_at", new."updated_at" IS old."updated_at"), ('id', 'key_500', new."id", new."id" IS old."id");
        SELECT CASE name WHEN 'created_at' THEN RAISE(ABORT, 'chats.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'updated_at' THEN RAISE(ABORT, 'chats.updated_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'id' THEN RAISE(ABORT, 'chats.id must be a text of 1 to 500 characters') END FROM guard_values WHERE is_refused;
        UPDATE chats SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at'), "updated_at" = (SELECT stored FROM guard_values WHERE name = 'updated_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_chat_histories_inserted AFTER INSERT ON chat_histories WHEN NOT coalesce((new."updated_at" GLOB '????-??-??T??:??:??.???Z'), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('updated_at', 'time?', new."updated_at", 0);
        SELECT CASE name WHEN 'updated_at' THEN RAISE(ABORT, 'chat_histories.updated_at must be a time, such as 2026-01-31T09:30:00.000Z') END FROM guard_values WHERE is_refused;
        UPDATE chat_histories SET "updated_at" = (SELECT stored FROM guard_values WHERE name = 'updated_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_chat_histories_changed AFTER UPDATE OF "updated_at" ON chat_histories WHEN NOT coalesce(((new."updated_at" GLOB '????-??-??T??:??:??.???Z') OR new."updated_at" IS old."updated_at"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('updated_at', 'time?', new."updated_at", new."updated_at" IS old."updated_at");
        SELECT CASE name WHEN 'updated_at' THEN RAISE(ABORT, 'chat_histories.updated_at must be a time, such as 2026-01-31T09:30:00.000Z') END FROM guard_values WHERE is_refused;
        UPDATE chat_histories SET "updated_at" = (SELECT stored FROM guard_values WHERE name = 'updated_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_exchanges_inserted AFTER INSERT ON exchanges WHEN NOT coalesce((new."start" GLOB '????-??-??T??:??:??.???Z') AND (new."end" IS NULL OR new."end" GLOB '????-??-??T??:??:??.???Z'), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('start', 'time?', new."start", 0), ('end', 'time?', new."end", 0);
        SELECT CASE name WHEN 'start' THEN RAISE(ABORT, 'exchanges.start must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'end' THEN RAISE(ABORT, 'exchanges.end must be a time, such as 2026-01-31T09:30:00.000Z') END FROM guard_values WHERE is_refused;
        UPDATE exchanges SET "start" = (SELECT stored FROM guard_values WHERE name = 'start'), "end" = (SELECT stored FROM guard_values WHERE name = 'end') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_exchanges_changed AFTER UPDATE OF "start", "end" ON exchanges WHEN NOT coalesce(((new."start" GLOB '????-??-??T??:??:??.???Z') OR new."start" IS old."start") AND ((new."end" IS NULL OR new."end" GLOB '????-??-??T??:??:??.???Z') OR new."end" IS old."end"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('start', 'time?', new."start", new."start" IS old."start"), ('end', 'time?', new."end", new."end" IS old."end");
        SELECT CASE name WHEN 'start' THEN RAISE(ABORT, 'exchanges.start must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'end' THEN RAISE(ABORT, 'exchanges.end must be a time, such as 2026-01-31T09:30:00.000Z') END FROM guard_values WHERE is_refused;
        UPDATE exchanges SET "start" = (SELECT stored FROM guard_values WHERE name = 'start'), "end" = (SELECT stored FROM guard_values WHERE name = 'end') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_processed_contexts_inserted AFTER INSERT ON processed_contexts WHEN NOT coalesce((new."create_time" GLOB '????-??-??T??:??:??.???Z') AND (new."event_time" GLOB '????-??-??T??:??:??.???Z') AND (new."update_time" GLOB '????-??-??T??:??:??.???Z') AND (typeof(new."call_count") = 'integer' AND new."call_count" >= 0) AND (typeof(new."merge_count") = 'integer' AND new."merge_count" >= 0) AND (typeof(new."duration_count") = 'integer' AND new."duration_count" >= 0) AND (new."confidence" IS NULL OR new."confidence" BETWEEN 0 AND 1) AND (typeof(new."context_id") = 'text' AND length(CAST(new."context_id" AS BLOB)) > 0 AND length(new."context_id") <= 200), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('create_time', 'time?', new."create_time", 0), ('event_time', 'time?', new."event_time", 0), ('update_time', 'time?', new."update_time", 0), ('call_count', 'count', new."call_count", 0), ('merge_count', 'count', new."merge_count", 0), ('duration_count', 'count', new."duration_count", 0), ('confidence', 'share?', new."confidence", 0), ('context_id', 'key_200', new."context_id", 0);
        SELECT CASE name WHEN 'create_time' THEN RAISE(ABORT, 'processed_contexts.create_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'event_time' THEN RAISE(ABORT, 'processed_contexts.event_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'update_time' THEN RAISE(ABORT, 'processed_contexts.update_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'call_count' THEN RAISE(ABORT, 'processed_contexts.call_count must be a whole number from 0 on') WHEN 'merge_count' THEN RAISE(ABORT, 'processed_contexts.merge_count must be a whole number from 0 on') WHEN 'duration_count' THEN RAISE(ABORT, 'processed_contexts.duration_count must be a whole number from 0 on') WHEN 'confidence' THEN RAISE(ABORT, 'processed_contexts.confidence must be a number from 0 to 1') WHEN 'context_id' THEN RAISE(ABORT, 'processed_contexts.context_id must be a text of 1 to 200 characters') END FROM guard_values WHERE is_refused;
        UPDATE processed_contexts SET "create_time" = (SELECT stored FROM guard_values WHERE name = 'create_time'), "event_time" = (SELECT stored FROM guard_values WHERE name = 'event_time'), "update_time" = (SELECT stored FROM guard_values WHERE name = 'update_time') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_processed_contexts_changed AFTER UPDATE OF "create_time", "event_time", "update_time", "call_count", "merge_count", "duration_count", "confidence", "context_id" ON processed_contexts WHEN NOT coalesce(((new."create_time" GLOB '????-??-??T??:??:??.???Z') OR new."create_time" IS old."create_time") AND ((new."event_time" GLOB '????-??-??T??:??:??.???Z') OR new."event_time" IS old."event_time") AND ((new."update_time" GLOB '????-??-??T??:??:??.???Z') OR new."update_time" IS old."update_time") AND ((typeof(new."call_count") = 'integer' AND new."call_count" >= 0) OR new."call_count" IS old."call_count") AND ((typeof(new."merge_count") = 'integer' AND new."merge_count" >= 0) OR new."merge_count" IS old."merge_count") AND ((typeof(new."duration_count") = 'integer' AND new."duration_count" >= 0) OR new."duration_count" IS old."duration_count") AND ((new."confidence" IS NULL OR new."confidence" BETWEEN 0 AND 1) OR new."confidence" IS old."confidence") AND ((typeof(new."context_id") = 'text' AND length(CAST(new."context_id" AS BLOB)) > 0 AND length(new."context_id") <= 200) OR new."context_id" IS old."context_id"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('create_time', 'time?', new."create_time", new."create_time" IS old."create_time"), ('event_time', 'time?', new."event_time", new."event_time" IS old."event_time"), ('update_time', 'time?', new."update_time", new."update_time" IS old."update_time"), ('call_count', 'count', new."call_count", new."call_count" IS old."call_count"), ('merge_count', 'count', new."merge_count", new."merge_count" IS old."merge_count"), ('duration_count', 'count', new."duration_count", new."duration_count" IS old."duration_count"), ('confidence', 'share?', new."confidence", new."confidence" IS old."confidence"), ('context_id', 'key_200', new."context_id", new."context_id" IS old."context_id");
        SELECT CASE name WHEN 'create_time' THEN RAISE(ABORT, 'processed_contexts.create_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'event_time' THEN RAISE(ABORT, 'processed_contexts.event_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'update_time' THEN RAISE(ABORT, 'processed_contexts.update_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'call_count' THEN RAISE(ABORT, 'processed_contexts.call_count must be a whole number from 0 on') WHEN 'merge_count' THEN RAISE(ABORT, 'processed_contexts.merge_count must be a whole number from 0 on') WHEN 'duration_count' THEN RAISE(ABORT, 'processed_contexts.duration_count must be a whole number from 0 on') WHEN 'confidence' THEN RAISE(ABORT, 'processed_contexts.confidence must be a number from 0 to 1') WHEN 'context_id' THEN RAISE(ABORT, 'processed_contexts.context_id must be a text of 1 to 200 characters') END FROM guard_values WHERE is_refused;
        UPDATE processed_contexts SET "create_time" = (SELECT stored FROM guard_values WHERE name = 'create_time'), "event_time" = (SELECT stored FROM guard_values WHERE name = 'event_time'), "update_time" = (SELECT stored FROM guard_values WHERE name = 'update_time') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_monitoring_token_usage_inserted AFTER INSERT ON monitoring_token_usage WHEN NOT coalesce((new."time_bucket" GLOB '????-??-??T??:??:??.???Z') AND (new."created_at" GLOB '????-??-??T??:??:??.???Z') AND (typeof(new."prompt_tokens") = 'integer' AND new."prompt_tokens" >= 0) AND (typeof(new."completion_tokens") = 'integer' AND new."completion_tokens" >= 0) AND (typeof(new."total_tokens") = 'integer' AND new."total_tokens" >= 0), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('time_bucket', 'time?', new."time_bucket", 0), ('created_at', 'time?', new."created_at", 0), ('prompt_tokens', 'count', new."prompt_tokens", 0), ('completion_tokens', 'count', new."completion_tokens", 0), ('total_tokens', 'count', new."total_tokens", 0);
        SELECT CASE name WHEN 'time_bucket' THEN RAISE(ABORT, 'monitoring_token_usage.time_bucket must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'created_at' THEN RAISE(ABORT, 'monitoring_token_usage.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'prompt_tokens' THEN RAISE(ABORT, 'monitoring_token_usage.prompt_tokens must be a whole number from 0 on') WHEN 'completion_tokens' THEN RAISE(ABORT, 'monitoring_token_usage.completion_tokens must be a whole number from 0 on') WHEN 'total_tokens' THEN RAISE(ABORT, 'monitoring_token_usage.total_tokens must be a whole number from 0 on') END FROM guard_values WHERE is_refused;
        UPDATE monitoring_token_usage SET "time_bucket" = (SELECT stored FROM guard_values WHERE name = 'time_bucket'), "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_monitoring_token_usage_changed AFTER UPDATE OF "time_bucket", "created_at", "prompt_tokens", "completion_tokens", "total_tokens" ON monitoring_token_usage WHEN NOT coalesce(((new."time_bucket" GLOB '????-??-??T??:??:??.???Z') OR new."time_bucket" IS old."time_bucket") AND ((new."created_at" GLOB '????-??-??T??:??:??.???Z') OR new."created_at" IS old."created_at") AND ((typeof(new."prompt_tokens") = 'integer' AND new."prompt_tokens" >= 0) OR new."prompt_tokens" IS old."prompt_tokens") AND ((typeof(new."completion_tokens") = 'integer' AND new."completion_tokens" >= 0) OR new."completion_tokens" IS old."completion_tokens") AND ((typeof(new."total_tokens") = 'integer' AND new."total_tokens" >= 0) OR new."total_tokens" IS old."total_tokens"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('time_bucket', 'time?', new."time_bucket", new."time_bucket" IS old."time_bucket"), ('created_at', 'time?', new."created_at", new."created_at" IS old."created_at"), ('prompt_tokens', 'count', new."prompt_tokens", new."prompt_tokens" IS old."prompt_tokens"), ('completion_tokens', 'count', new."completion_tokens", new."completion_tokens" IS old."completion_tokens"), ('total_tokens', 'count', new."total_tokens", new."total_tokens" IS old."total_tokens");
        SELECT CASE name WHEN 'time_bucket' THEN RAISE(ABORT, 'monitoring_token_usage.time_bucket must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'created_at' THEN RAISE(ABORT, 'monitoring_token_usage.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'prompt_tokens' THEN RAISE(ABORT, 'monitoring_token_usage.prompt_tokens must be a whole number from 0 on') WHEN 'completion_tokens' THEN RAISE(ABORT, 'monitoring_token_usage.completion_tokens must be a whole number from 0 on') WHEN 'total_tokens' THEN RAISE(ABORT, 'monitoring_token_usage.total_tokens must be a whole number from 0 on') END FROM guard_values WHERE is_refused;
        UPDATE monitoring_token_usage SET "time_bucket" = (SELECT stored FROM guard_values WHERE name = 'time_bucket'), "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_monitoring_stage_timing_inserted AFTER INSERT ON monitoring_stage_timing WHEN NOT coalesce((new."time_bucket" GLOB '????-??-??T??:??:??.???Z') AND (new."created_at" GLOB '????-??-??T??:??:??.???Z') AND (new."min_duration_ms" IS NULL OR typeof(new."min_duration_ms") = 'integer') AND (new."max_duration_ms" IS NULL OR typeof(new."max_duration_ms") = 'integer') AND (typeof(new."count") = 'integer' AND new."count" >= 0) AND (typeof(new."total_duration_ms") = 'integer' AND new."total_duration_ms" >= 0) AND (typeof(new."success_count") = 'integer' AND new."success_count" >= 0) AND (typeof(new."error_count") = 'integer' AND new."error_count" >= 0), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('time_bucket', 'time?', new."time_bucket", 0), ('created_at', 'time?', new."created_at", 0), ('min_duration_ms', 'integer?', new."min_duration_ms", 0), ('max_duration_ms', 'integer?', new."max_duration_ms", 0), ('count', 'count', new."count", 0), ('total_duration_ms', 'count', new."total_duration_ms", 0), ('success_count', 'count', new."success_count", 0), ('error_count', 'count', new."error_count", 0);
        SELECT CASE name WHEN 'time_bucket' THEN RAISE(ABORT, 'monitoring_stage_timing.time_bucket must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'created_at' THEN RAISE(ABORT, 'monitoring_stage_timing.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'min_duration_ms' THEN RAISE(ABORT, 'monitoring_stage_timing.min_duration_ms must be a whole number') WHEN 'max_duration_ms' THEN RAISE(ABORT, 'monitoring_stage_timing.max_duration_ms must be a whole number') WHEN 'count' THEN RAISE(ABORT, 'monitoring_stage_timing.count must be a whole number from 0 on') WHEN 'total_duration_ms' THEN RAISE(ABORT, 'monitoring_stage_timing.total_duration_ms must be a whole number from 0 on') WHEN 'success_count' THEN RAISE(ABORT, 'monitoring_stage_timing.success_count must be a whole number from 0 on') WHEN 'error_count' THEN RAISE(ABORT, 'monitoring_stage_timing.error_count must be a whole number from 0 on') END FROM guard_values WHERE is_refused;
        UPDATE monitoring_stage_timing SET "time_bucket" = (SELECT stored FROM guard_values WHERE name = 'time_bucket'), "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_monitoring_stage_timing_changed AFTER UPDATE OF "time_bucket", "created_at", "min_duration_ms", "max_duration_ms", "count", "total_duration_ms", "success_count", "error_count" ON monitoring_stage_timing WHEN NOT coalesce(((new."time_bucket" GLOB '????-??-??T??:??:??.???Z') OR new."time_bucket" IS old."time_bucket") AND ((new."created_at" GLOB '????-??-??T??:??:??.???Z') OR new."created_at" IS old."created_at") AND ((new."min_duration_ms" IS NULL OR typeof(new."min_duration_ms") = 'integer') OR new."min_duration_ms" IS old."min_duration_ms") AND ((new."max_duration_ms" IS NULL OR typeof(new."max_duration_ms") = 'integer') OR new."max_duration_ms" IS old."max_duration_ms") AND ((typeof(new."count") = 'integer' AND new."count" >= 0) OR new."count" IS old."count") AND ((typeof(new."total_duration_ms") = 'integer' AND new."total_duration_ms" >= 0) OR new."total_duration_ms" IS old."total_duration_ms") AND ((typeof(new."success_count") = 'integer' AND new."success_count" >= 0) OR new."success_count" IS old."success_count") AND ((typeof(new."error_count") = 'integer' AND new."error_count" >= 0) OR new."error_count" IS old."error_count"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('time_bucket', 'time?', new."time_bucket", new."time_bucket" IS old."time_bucket"), ('created_at', 'time?', new."created_at", new."created_at" IS old."created_at"), ('min_duration_ms', 'integer?', new."min_duration_ms", new."min_duration_ms" IS old."min_duration_ms"), ('max_duration_ms', 'integer?', new."max_duration_ms", new."max_duration_ms" IS old."max_duration_ms"), ('count', 'count', new."count", new."count" IS old."count"), ('total_duration_ms', 'count', new."total_duration_ms", new."total_duration_ms" IS old."total_duration_ms"), ('success_count', 'count', new."success_count", new."success_count" IS old."success_count"), ('error_count', 'count', new."error_count", new."error_count" IS old."error_count");
        SELECT CASE name WHEN 'time_bucket' THEN RAISE(ABORT, 'monitoring_stage_timing.time_bucket must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'created_at' THEN RAISE(ABORT, 'monitoring_stage_timing.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'min_duration_ms' THEN RAISE(ABORT, 'monitoring_stage_timing.min_duration_ms must be a whole number') WHEN 'max_duration_ms' THEN RAISE(ABORT, 'monitoring_stage_timing.max_duration_ms must be a whole number') WHEN 'count' THEN RAISE(ABORT, 'monitoring_stage_timing.count must be a whole number from 0 on') WHEN 'total_duration_ms' THEN RAISE(ABORT, 'monitoring_stage_timing.total_duration_ms must be a whole number from 0 on') WHEN 'success_count' THEN RAISE(ABORT, 'monitoring_stage_timing.success_count must be a whole number from 0 on') WHEN 'error_count' THEN RAISE(ABORT, 'monitoring_stage_timing.error_count must be a whole number from 0 on') END FROM guard_values WHERE is_refused;
        UPDATE monitoring_stage_timing SET "time_bucket" = (SELECT stored FROM guard_values WHERE name = 'time_bucket'), "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_monitoring_data_stats_inserted AFTER INSERT ON monitoring_data_stats WHEN NOT coalesce((new."time_bucket" GLOB '????-??-??T??:??:??.???Z') AND (new."created_at" GLOB '????-??-??T??:??:??.???Z') AND (typeof(new."count") = 'integer' AND new."count" >= 0), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('time_bucket', 'time?', new."time_bucket", 0), ('created_at', 'time?', new."created_at", 0), ('count', 'count', new."count", 0);
        SELECT CASE name WHEN 'time_bucket' THEN RAISE(ABORT, 'monitoring_data_stats.time_bucket must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'created_at' THEN RAISE(ABORT, 'monitoring_data_stats.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'count' THEN RAISE(ABORT, 'monitoring_data_stats.count must be a whole number from 0 on') END FROM guard_values WHERE is_refused;
        UPDATE monitoring_data_stats SET "time_bucket" = (SELECT stored FROM guard_values WHERE name = 'time_bucket'), "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_monitoring_data_stats_changed AFTER UPDATE OF "time_bucket", "created_at", "count" ON monitoring_data_stats WHEN NOT coalesce(((new."time_bucket" GLOB '????-??-??T??:??:??.???Z') OR new."time_bucket" IS old."time_bucket") AND ((new."created_at" GLOB '????-??-??T??:??:??.???Z') OR new."created_at" IS old."created_at") AND ((typeof(new."count") = 'integer' AND new."count" >= 0) OR new."count" IS old."count"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('time_bucket', 'time?', new."time_bucket", new."time_bucket" IS old."time_bucket"), ('created_at', 'time?', new."created_at", new."created_at" IS old."created_at"), ('count', 'count', new."count", new."count" IS old."count");
        SELECT CASE name WHEN 'time_bucket' THEN RAISE(ABORT, 'monitoring_data_stats.time_bucket must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'created_at' THEN RAISE(ABORT, 'monitoring_data_stats.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'count' THEN RAISE(ABORT, 'monitoring_data_stats.count must be a whole number from 0 on') END FROM guard_values WHERE is_refused;
        UPDATE monitoring_data_stats SET "time_bucket" = (SELECT stored FROM guard_values WHERE name = 'time_bucket'), "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_monitoring_errors_inserted AFTER INSERT ON monitoring_errors WHEN NOT coalesce((new."time_bucket" GLOB '????-??-??T??:??:??.???Z') AND (new."created_at" GLOB '????-??-??T??:??:??.???Z') AND (new."updated_at" GLOB '????-??-??T??:??:??.???Z') AND (typeof(new."count") = 'integer' AND new."count" >= 0), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('time_bucket', 'time?', new."time_bucket", 0), ('created_at', 'time?', new."created_at", 0), ('updated_at', 'time?', new."updated_at", 0), ('count', 'count', new."count", 0);
        SELECT CASE name WHEN 'time_bucket' THEN RAISE(ABORT, 'monitoring_errors.time_bucket must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'created_at' THEN RAISE(ABORT, 'monitoring_errors.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'updated_at' THEN RAISE(ABORT, 'monitoring_errors.updated_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'count' THEN RAISE(ABORT, 'monitoring_errors.count must be a whole number from 0 on') END FROM guard_values WHERE is_refused;
        UPDATE monitoring_errors SET "time_bucket" = (SELECT stored FROM guard_values WHERE name = 'time_bucket'), "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at'), "updated_at" = (SELECT stored FROM guard_values WHERE name = 'updated_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_monitoring_errors_changed AFTER UPDATE OF "time_bucket", "created_at", "updated_at", "count" ON monitoring_errors WHEN NOT coalesce(((new."time_bucket" GLOB '????-??-??T??:??:??.???Z') OR new."time_bucket" IS old."time_bucket") AND ((new."created_at" GLOB '????-??-??T??:??:??.???Z') OR new."created_at" IS old."created_at") AND ((new."updated_at" GLOB '????-??-??T??:??:??.???Z') OR new."updated_at" IS old."updated_at") AND ((typeof(new."count") = 'integer' AND new."count" >= 0) OR new."count" IS old."count"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('time_bucket', 'time?', new."time_bucket", new."time_bucket" IS old."time_bucket"), ('created_at', 'time?', new."created_at", new."created_at" IS old."created_at"), ('updated_at', 'time?', new."updated_at", new."updated_at" IS old."updated_at"), ('count', 'count', new."count", new."count" IS old."count");
        SELECT CASE name WHEN 'time_bucket' THEN RAISE(ABORT, 'monitoring_errors.time_bucket must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'created_at' THEN RAISE(ABORT, 'monitoring_errors.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'updated_at' THEN RAISE(ABORT, 'monitoring_errors.updated_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'count' THEN RAISE(ABORT, 'monitoring_errors.count must be a whole number from 0 on') END FROM guard_values WHERE is_refused;
        UPDATE monitoring_errors SET "time_bucket" = (SELECT stored FROM guard_values WHERE name = 'time_bucket'), "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at'), "updated_at" = (SELECT stored FROM guard_values WHERE name = 'updated_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_monitoring_runs_inserted AFTER INSERT ON monitoring_runs WHEN NOT coalesce((new."start_time" GLOB '????-??-??T??:??:??.???Z') AND (new."end_time" GLOB '????-??-??T??:??:??.???Z') AND (new."created_at" GLOB '????-??-??T??:??:??.???Z'), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('start_time', 'time?', new."start_time", 0), ('end_time', 'time?', new."end_time", 0), ('created_at', 'time?', new."created_at", 0);
        SELECT CASE name WHEN 'start_time' THEN RAISE(ABORT, 'monitoring_runs.start_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'end_time' THEN RAISE(ABORT, 'monitoring_runs.end_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'created_at' THEN RAISE(ABORT, 'monitoring_runs.created_at must be a time, such as 2026-01-31T09:30:00.000Z') END FROM guard_values WHERE is_refused;
        UPDATE monitoring_runs SET "start_time" = (SELECT stored FROM guard_values WHERE name = 'start_time'), "end_time" = (SELECT stored FROM guard_values WHERE name = 'end_time'), "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_monitoring_runs_changed AFTER UPDATE OF "start_time", "end_time", "created_at" ON monitoring_runs WHEN NOT coalesce(((new."start_time" GLOB '????-??-??T??:??:??.???Z') OR new."start_time" IS old."start_time") AND ((new."end_time" GLOB '????-??-??T??:??:??.???Z') OR new."end_time" IS old."end_time") AND ((new."created_at" GLOB '????-??-??T??:??:??.???Z') OR new."created_at" IS old."created_at"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('start_time', 'time?', new."start_time", new."start_time" IS old."start_time"), ('end_time', 'time?', new."end_time", new."end_time" IS old."end_time"), ('created_at', 'time?', new."created_at", new."created_at" IS old."created_at");
        SELECT CASE name WHEN 'start_time' THEN RAISE(ABORT, 'monitoring_runs.start_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'end_time' THEN RAISE(ABORT, 'monitoring_runs.end_time must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'created_at' THEN RAISE(ABORT, 'monitoring_runs.created_at must be a time, such as 2026-01-31T09:30:00.000Z') END FROM guard_values WHERE is_refused;
        UPDATE monitoring_runs SET "start_time" = (SELECT stored FROM guard_values WHERE name = 'start_time'), "end_time" = (SELECT stored FROM guard_values WHERE name = 'end_time'), "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_monitoring_session_inserted AFTER INSERT ON monitoring_session WHEN NOT coalesce((new."started_at" GLOB '????-??-??T??:??:??.???Z') AND (typeof(new."model_calls") = 'integer' AND new."model_calls" >= 0) AND (typeof(new."prompt_tokens") = 'integer' AND new."prompt_tokens" >= 0) AND (typeof(new."completion_tokens") = 'integer' AND new."completion_tokens" >= 0) AND (typeof(new."total_tokens") = 'integer' AND new."total_tokens" >= 0) AND (typeof(new."stage_runs") = 'integer' AND new."stage_runs" >= 0) AND (typeof(new."stage_errors") = 'integer' AND new."stage_errors" >= 0) AND (typeof(new."data_count") = 'integer' AND new."data_count" >= 0) AND (typeof(new."processor_runs") = 'integer' AND new."processor_runs" >= 0) AND (typeof(new."processor_errors") = 'integer' AND new."processor_errors" >= 0) AND (typeof(new."errors") = 'integer' AND new."errors" >= 0), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('started_at', 'time?', new."started_at", 0), ('model_calls', 'count', new."model_calls", 0), ('prompt_tokens', 'count', new."prompt_tokens", 0), ('completion_tokens', 'count', new."completion_tokens", 0), ('total_tokens', 'count', new."total_tokens", 0), ('stage_runs', 'count', new."stage_runs", 0), ('stage_errors', 'count', new."stage_errors", 0), ('data_count', 'count', new."data_count", 0), ('processor_runs', 'count', new."processor_runs", 0), ('processor_errors', 'count', new."processor_errors", 0), ('errors', 'count', new."errors", 0);
        SELECT CASE name WHEN 'started_at' THEN RAISE(ABORT, 'monitoring_session.started_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'model_calls' THEN RAISE(ABORT, 'monitoring_session.model_calls must be a whole number from 0 on') WHEN 'prompt_tokens' THEN RAISE(ABORT, 'monitoring_session.prompt_tokens must be a whole number from 0 on') WHEN 'completion_tokens' THEN RAISE(ABORT, 'monitoring_session.completion_tokens must be a whole number from 0 on') WHEN 'total_tokens' THEN RAISE(ABORT, 'monitoring_session.total_tokens must be a whole number from 0 on') WHEN 'stage_runs' THEN RAISE(ABORT, 'monitoring_session.stage_runs must be a whole number from 0 on') WHEN 'stage_errors' THEN RAISE(ABORT, 'monitoring_session.stage_errors must be a whole number from 0 on') WHEN 'data_count' THEN RAISE(ABORT, 'monitoring_session.data_count must be a whole number from 0 on') WHEN 'processor_runs' THEN RAISE(ABORT, 'monitoring_session.processor_runs must be a whole number from 0 on') WHEN 'processor_errors' THEN RAISE(ABORT, 'monitoring_session.processor_errors must be a whole number from 0 on') WHEN 'errors' THEN RAISE(ABORT, 'monitoring_session.errors must be a whole number from 0 on') END FROM guard_values WHERE is_refused;
        UPDATE monitoring_session SET "started_at" = (SELECT stored FROM guard_values WHERE name = 'started_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_monitoring_session_changed AFTER UPDATE OF "started_at", "model_calls", "prompt_tokens", "completion_tokens", "total_tokens", "stage_runs", "stage_errors", "data_count", "processor_runs", "processor_errors", "errors" ON monitoring_session WHEN NOT coalesce(((new."started_at" GLOB '????-??-??T??:??:??.???Z') OR new."started_at" IS old."started_at") AND ((typeof(new."model_calls") = 'integer' AND new."model_calls" >= 0) OR new."model_calls" IS old."model_calls") AND ((typeof(new."prompt_tokens") = 'integer' AND new."prompt_tokens" >= 0) OR new."prompt_tokens" IS old."prompt_tokens") AND ((typeof(new."completion_tokens") = 'integer' AND new."completion_tokens" >= 0) OR new."completion_tokens" IS old."completion_tokens") AND ((typeof(new."total_tokens") = 'integer' AND new."total_tokens" >= 0) OR new."total_tokens" IS old."total_tokens") AND ((typeof(new."stage_runs") = 'integer' AND new."stage_runs" >= 0) OR new."stage_runs" IS old."stage_runs") AND ((typeof(new."stage_errors") = 'integer' AND new."stage_errors" >= 0) OR new."stage_errors" IS old."stage_errors") AND ((typeof(new."data_count") = 'integer' AND new."data_count" >= 0) OR new."data_count" IS old."data_count") AND ((typeof(new."processor_runs") = 'integer' AND new."processor_runs" >= 0) OR new."processor_runs" IS old."processor_runs") AND ((typeof(new."processor_errors") = 'integer' AND new."processor_errors" >= 0) OR new."processor_errors" IS old."processor_errors") AND ((typeof(new."errors") = 'integer' AND new."errors" >= 0) OR new."errors" IS old."errors"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('started_at', 'time?', new."started_at", new."started_at" IS old."started_at"), ('model_calls', 'count', new."model_calls", new."model_calls" IS old."model_calls"), ('prompt_tokens', 'count', new."prompt_tokens", new."prompt_tokens" IS old."prompt_tokens"), ('completion_tokens', 'count', new."completion_tokens", new."completion_tokens" IS old."completion_tokens"), ('total_tokens', 'count', new."total_tokens", new."total_tokens" IS old."total_tokens"), ('stage_runs', 'count', new."stage_runs", new."stage_runs" IS old."stage_runs"), ('stage_errors', 'count', new."stage_errors", new."stage_errors" IS old."stage_errors"), ('data_count', 'count', new."data_count", new."data_count" IS old."data_count"), ('processor_runs', 'count', new."processor_runs", new."processor_runs" IS old."processor_runs"), ('processor_errors', 'count', new."processor_errors", new."processor_errors" IS old."processor_errors"), ('errors', 'count', new."errors", new."errors" IS old."errors");
        SELECT CASE name WHEN 'started_at' THEN RAISE(ABORT, 'monitoring_session.started_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'model_calls' THEN RAISE(ABORT, 'monitoring_session.model_calls must be a whole number from 0 on') WHEN 'prompt_tokens' THEN RAISE(ABORT, 'monitoring_session.prompt_tokens must be a whole number from 0 on') WHEN 'completion_tokens' THEN RAISE(ABORT, 'monitoring_session.completion_tokens must be a whole number from 0 on') WHEN 'total_tokens' THEN RAISE(ABORT, 'monitoring_session.total_tokens must be a whole number from 0 on') WHEN 'stage_runs' THEN RAISE(ABORT, 'monitoring_session.stage_runs must be a whole number from 0 on') WHEN 'stage_errors' THEN RAISE(ABORT, 'monitoring_session.stage_errors must be a whole number from 0 on') WHEN 'data_count' THEN RAISE(ABORT, 'monitoring_session.data_count must be a whole number from 0 on') WHEN 'processor_runs' THEN RAISE(ABORT, 'monitoring_session.processor_runs must be a whole number from 0 on') WHEN 'processor_errors' THEN RAISE(ABORT, 'monitoring_session.processor_errors must be a whole number from 0 on') WHEN 'errors' THEN RAISE(ABORT, 'monitoring_session.errors must be a whole number from 0 on') END FROM guard_values WHERE is_refused;
        UPDATE monitoring_session SET "started_at" = (SELECT stored FROM guard_values WHERE name = 'started_at') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_jobs_inserted AFTER INSERT ON jobs WHEN NOT coalesce((new."created_at" GLOB '????-??-??T??:??:??.???Z') AND (new."started_at" IS NULL OR new."started_at" GLOB '????-??-??T??:??:??.???Z') AND (new."finished_at" IS NULL OR new."finished_at" GLOB '????-??-??T??:??:??.???Z') AND (typeof(new."done") = 'integer' AND new."done" >= 0) AND (typeof(new."attempts") = 'integer' AND new."attempts" >= 0) AND (typeof(new."failures") = 'integer' AND new."failures" >= 0) AND (typeof(new."crashes") = 'integer' AND new."crashes" >= 0) AND (new."is_cancelling" IN (0, 1)) AND (new."is_repeatable" IN (0, 1)), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('created_at', 'time?', new."created_at", 0), ('started_at', 'time?', new."started_at", 0), ('finished_at', 'time?', new."finished_at", 0), ('done', 'count', new."done", 0), ('attempts', 'count', new."attempts", 0), ('failures', 'count', new."failures", 0), ('crashes', 'count', new."crashes", 0), ('is_cancelling', 'boolean', new."is_cancelling", 0), ('is_repeatable', 'boolean', new."is_repeatable", 0);
        SELECT CASE name WHEN 'created_at' THEN RAISE(ABORT, 'jobs.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'started_at' THEN RAISE(ABORT, 'jobs.started_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'finished_at' THEN RAISE(ABORT, 'jobs.finished_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'done' THEN RAISE(ABORT, 'jobs.done must be a whole number from 0 on') WHEN 'attempts' THEN RAISE(ABORT, 'jobs.attempts must be a whole number from 0 on') WHEN 'failures' THEN RAISE(ABORT, 'jobs.failures must be a whole number from 0 on') WHEN 'crashes' THEN RAISE(ABORT, 'jobs.crashes must be a whole number from 0 on') WHEN 'is_cancelling' THEN RAISE(ABORT, 'jobs.is_cancelling must be 0 or 1') WHEN 'is_repeatable' THEN RAISE(ABORT, 'jobs.is_repeatable must be 0 or 1') END FROM guard_values WHERE is_refused;
        UPDATE jobs SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at'), "started_at" = (SELECT stored FROM guard_values WHERE name = 'started_at'), "finished_at" = (SELECT stored FROM guard_values WHERE name = 'finished_at'), "is_cancelling" = (SELECT stored FROM guard_values WHERE name = 'is_cancelling'), "is_repeatable" = (SELECT stored FROM guard_values WHERE name = 'is_repeatable') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

CREATE TRIGGER guard_jobs_changed AFTER UPDATE OF "created_at", "started_at", "finished_at", "done", "attempts", "failures", "crashes", "is_cancelling", "is_repeatable" ON jobs WHEN NOT coalesce(((new."created_at" GLOB '????-??-??T??:??:??.???Z') OR new."created_at" IS old."created_at") AND ((new."started_at" IS NULL OR new."started_at" GLOB '????-??-??T??:??:??.???Z') OR new."started_at" IS old."started_at") AND ((new."finished_at" IS NULL OR new."finished_at" GLOB '????-??-??T??:??:??.???Z') OR new."finished_at" IS old."finished_at") AND ((typeof(new."done") = 'integer' AND new."done" >= 0) OR new."done" IS old."done") AND ((typeof(new."attempts") = 'integer' AND new."attempts" >= 0) OR new."attempts" IS old."attempts") AND ((typeof(new."failures") = 'integer' AND new."failures" >= 0) OR new."failures" IS old."failures") AND ((typeof(new."crashes") = 'integer' AND new."crashes" >= 0) OR new."crashes" IS old."crashes") AND ((new."is_cancelling" IN (0, 1)) OR new."is_cancelling" IS old."is_cancelling") AND ((new."is_repeatable" IN (0, 1)) OR new."is_repeatable" IS old."is_repeatable"), 0) BEGIN 
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES ('created_at', 'time?', new."created_at", new."created_at" IS old."created_at"), ('started_at', 'time?', new."started_at", new."started_at" IS old."started_at"), ('finished_at', 'time?', new."finished_at", new."finished_at" IS old."finished_at"), ('done', 'count', new."done", new."done" IS old."done"), ('attempts', 'count', new."attempts", new."attempts" IS old."attempts"), ('failures', 'count', new."failures", new."failures" IS old."failures"), ('crashes', 'count', new."crashes", new."crashes" IS old."crashes"), ('is_cancelling', 'boolean', new."is_cancelling", new."is_cancelling" IS old."is_cancelling"), ('is_repeatable', 'boolean', new."is_repeatable", new."is_repeatable" IS old."is_repeatable");
        SELECT CASE name WHEN 'created_at' THEN RAISE(ABORT, 'jobs.created_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'started_at' THEN RAISE(ABORT, 'jobs.started_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'finished_at' THEN RAISE(ABORT, 'jobs.finished_at must be a time, such as 2026-01-31T09:30:00.000Z') WHEN 'done' THEN RAISE(ABORT, 'jobs.done must be a whole number from 0 on') WHEN 'attempts' THEN RAISE(ABORT, 'jobs.attempts must be a whole number from 0 on') WHEN 'failures' THEN RAISE(ABORT, 'jobs.failures must be a whole number from 0 on') WHEN 'crashes' THEN RAISE(ABORT, 'jobs.crashes must be a whole number from 0 on') WHEN 'is_cancelling' THEN RAISE(ABORT, 'jobs.is_cancelling must be 0 or 1') WHEN 'is_repeatable' THEN RAISE(ABORT, 'jobs.is_repeatable must be 0 or 1') END FROM guard_values WHERE is_refused;
        UPDATE jobs SET "created_at" = (SELECT stored FROM guard_values WHERE name = 'created_at'), "started_at" = (SELECT stored FROM guard_values WHERE name = 'started_at'), "finished_at" = (SELECT stored FROM guard_values WHERE name = 'finished_at'), "is_cancelling" = (SELECT stored FROM guard_values WHERE name = 'is_cancelling'), "is_repeatable" = (SELECT stored FROM guard_values WHERE name = 'is_repeatable') WHERE rowid = new.rowid;
        DELETE FROM guard_values;
     END;

INSERT INTO store_identity VALUES (lower(hex(randomblob(16))));

INSERT INTO search_index (search_index, rank) VALUES ('automerge', 0);

INSERT INTO search_index (search_index, rank) VALUES ('crisismerge', 512);

INSERT INTO search_fill (kind, after_id) VALUES (1, -1), (2, -1), (3, -1), (4, -1), (5, -1), (6, -1), (7, -1)
