-- Rows that a store may hold since schema version 1: with and without each optional value, and legal values that are
-- easily misread. Ids have gaps. A file is added with each version, and not changed once that version is released.

INSERT INTO vaults (id, title, summary, content, tags, parent_id, is_folder, is_deleted, created_at, updated_at, document_type, sort_order, deleted_with) VALUES
    (1, 'Folder', NULL, '', '', NULL, 1, 0, '2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.001Z', 'Note', 1024, NULL),
    (2, 'Plan', '', 'word' || char(0) || ' and more', 'a,b c, ü', 9, 0, 0, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', 'DailyReport', -5, NULL),
    -- In a folder that is younger than itself.
    (3, '日本 ünïcode 🎈', 'null', char(10) || 'line', ',', 9, 0, 0, '1999-12-31T23:59:59.999Z', '2026-01-01T00:00:00.000Z', '', 0, NULL),
    (9, '', NULL, '', '', 1, 1, 0, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', 'Note', 9007199254740993, NULL),
    -- 21 was deleted with 20, and 22 had been deleted before.
    (20, 'Gone', NULL, 'word', '', NULL, 1, 1, '2026-01-03T00:00:00.000Z', '2026-01-04T00:00:00.000Z', 'Note', 2048, 20),
    (21, 'Gone with it', NULL, '', '', 20, 0, 1, '2026-01-03T00:00:00.000Z', '2026-01-04T00:00:00.000Z', 'Note', 1024, 20),
    (22, 'Gone before', NULL, '', '', 20, 0, 1, '2026-01-03T00:00:00.000Z', '2026-01-03T12:00:00.000Z', 'Weekly', 2048, 22);

INSERT INTO todo (id, content, created_at, start_time, end_time, status, urgency, assignee, reason) VALUES
    (1, 'word', '2026-01-01T00:00:00.123Z', NULL, NULL, 0, 0, NULL, NULL),
    (2, 'null', '2026-01-01T00:00:00.123Z', '0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z', 1, -3, '', 'fix it'),
    -- Reopened, with a planned end.
    (4503599627370496, '日本', '2026-02-28T23:59:59.999Z', NULL, '2026-03-29T01:00:00.000Z', 0, 9223372036854775807, 'Ada', '');

INSERT INTO activity (id, title, content, resources, metadata, start_time, end_time) VALUES
    (1, 'Review', 'word', '[{"type": "file", "id": 1.0, "path": "/a b.pdf"}, null]', '{"app": "editor", "deep": {"list": [1, null, true]}}', '2026-01-01T10:00:00.250Z', '2026-01-01T11:00:00.750Z'),
    (2, '', '', NULL, NULL, '2026-01-01T10:00:00.250Z', '2026-01-01T10:00:00.250Z'),
    (3, 'A text', '', '"null"', '{}', '2026-01-02T10:00:00.000Z', '2026-01-01T10:00:00.000Z'),
    (4, 'A number', '', '9007199254740993', '{"null": null, "": ""}', '2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z'),
    (5, 'No', '', 'false', '{"a":1, "ü\u2028": "\ud83c\udf88"}', '2025-12-31T23:59:59.999Z', '2026-01-01T00:00:00.000Z');

INSERT INTO tips (id, content, created_at) VALUES
    (1, 'drink a word', '2026-01-01T00:00:00.000Z'),
    (7, '''quoted'' "twice"' || char(13, 10) || '% _ \', '2026-01-01T00:00:00.000Z');

INSERT INTO conversations (id, title, user_id, page_name, status, metadata, created_at, updated_at) VALUES
    (1, 'Talk of a word', 'ada', 'home', 'active', '{"project": "x", "nested": [[], {}]}', '2026-01-01T00:00:00.000Z', '2026-01-09T00:00:00.000Z'),
    (2, NULL, NULL, '', 'archived', NULL, '2026-01-01T00:00:00.000Z', '2026-01-09T00:00:00.000Z'),
    -- Deleted by a version that did not remember the status before.
    (3, '', '', 'notes', 'deleted', '{}', '2026-01-01T00:00:00.000Z', '2026-01-03T00:00:00.000Z');

INSERT INTO messages (id, conversation_id, parent_message_id, role, content, status, token_count, metadata, latency_ms, error_message, completed_at, created_at, updated_at) VALUES
    (1, 1, NULL, 'user', 'word?', 'completed', 0, NULL, NULL, NULL, NULL, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'),
    (2, 1, '1', 'assistant', '日本' || char(0) || '🎈', 'completed', 9223372036854775807, '{"model": "m", "seed": 1.0}', 900, NULL, '2026-01-01T00:00:00.900Z', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.900Z'),
    (3, 1, '2', 'tool', '', 'failed', 1, '{}', 0, 'it broke: "ü"', '2026-01-01T00:00:01.000Z', '2026-01-01T00:00:01.000Z', '2026-01-01T00:00:01.000Z'),
    (4, 1, '2', 'assistant', 'half a', 'cancelled', 1, '{}', 12, '', '2026-01-01T00:00:01.000Z', '2026-01-01T00:00:01.000Z', '2026-01-01T00:00:01.000Z'),
    (5, 1, NULL, 'system', 'waits', 'pending', 0, NULL, NULL, NULL, NULL, '2026-01-01T00:00:02.000Z', '2026-01-01T00:00:02.000Z'),
    (8, 3, NULL, 'user', 'null', 'completed', 0, '{"deleted": "with its conversation"}', 0, NULL, '2026-01-02T00:00:00.000Z', '2026-01-02T00:00:00.000Z', '2026-01-02T00:00:00.000Z');

INSERT INTO message_thinking (id, message_id, content, stage, progress, sequence, metadata, created_at) VALUES
    (1, 2, 'second', NULL, 0, 1, NULL, '2026-01-01T00:00:00.500Z'),
    (2, 2, 'first of a word', 'plan', 0.5, 0, '{"a": [1]}', '2026-01-01T00:00:00.400Z'),
    (3, 2, 'as late as the other', '', 1, 1, '{}', '2026-01-01T00:00:00.600Z'),
    (4, 8, '日本', 'null', 0.1, 3, '{"null": null}', '2026-01-02T00:00:00.000Z');

INSERT INTO monitoring_token_usage (id, time_bucket, model, prompt_tokens, completion_tokens, total_tokens, created_at) VALUES
    (1, '2026-01-01T10:00:00.000Z', 'm', 1, 2, 3, '2026-01-01T10:12:00.000Z'),
    (2, '2026-01-01T10:00:00.000Z', '日本/ü', 10000000000, 0, 0, '2026-01-01T10:12:00.000Z');

INSERT INTO monitoring_stage_timing (id, time_bucket, stage_name, count, total_duration_ms, min_duration_ms, max_duration_ms, avg_duration_ms, success_count, error_count, metadata, created_at) VALUES
    (1, '2026-01-01T10:00:00.000Z', 'load', 3, 40, 10, 20, 13, 2, 1, '{"last": ["a"]}', '2026-01-01T10:12:00.000Z'),
    (2, '2026-01-01T11:00:00.000Z', 'load', 0, 0, NULL, NULL, NULL, 0, 0, NULL, '2026-01-01T11:12:00.000Z');

INSERT INTO monitoring_data_stats (id, time_bucket, data_type, count, context_type, metadata, created_at) VALUES
    (1, '2026-01-01T10:00:00.000Z', 'screenshot', 9, NULL, NULL, '2026-01-01T10:12:00.000Z'),
    (2, '2026-01-01T10:00:00.000Z', 'screenshot', 4, 'entity', '{"null": null}', '2026-01-01T10:12:00.000Z');

INSERT INTO idempotency_keys (key, fingerprint, result, created_at) VALUES
    ('key-1', x'00ff', '{"id": 1}', '2026-01-01T00:00:00.000Z');
