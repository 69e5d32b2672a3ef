-- What a store may hold since schema version 13, when conversations came to lie in folders and to have tags and pins, and
-- when monitoring came to keep errors, runs of processors and the counters of a session.

INSERT INTO conversations (id, title, user_id, page_name, status, metadata, created_at, updated_at, folder, tags, is_pinned) VALUES
    (130, 'Organised word', 'ada', 'home', 'active', '{}', '2026-01-10T00:00:00.000Z', '2026-01-12T00:00:00.000Z', 'Work/日本', 'a,b c', 1),
    -- As another program may write it.
    (131, NULL, NULL, 'home', 'archived', NULL, '2026-01-10 00:00:00', '2026-01-11 00:00:00', '', ' b c , ,a,a', 0),
    (132, NULL, NULL, 'home', 'deleted', '{}', '2026-01-10T00:00:00.000Z', '2026-01-11T00:00:00.000Z', 'Gone', 'gone', 1);
INSERT INTO monitoring_errors (id, time_bucket, stage_name, message, count, created_at, updated_at) VALUES
    (130, '2026-01-10T10:00:00.000Z', 'model', 'no word', 3, '2026-01-10T10:00:01.000Z', '2026-01-10T10:30:00.000Z'),
    (131, '2026-01-10T11:00:00.000Z', 'model', 'no word', 4, '2026-01-10T11:00:01.000Z', '2026-01-10T11:30:00.000Z');
INSERT INTO monitoring_runs (id, processor_name, start_time, end_time, status, counts, error_message, created_at) VALUES
    (130, 'indexer', '2026-01-10T10:00:00.000Z', '2026-01-10T10:05:00.250Z', 'success', '{"documents": 3}', NULL, '2026-01-10T10:05:00.250Z'),
    (131, 'ü', '2026-01-10T10:00:00.000Z', '2026-01-10T10:00:00.000Z', 'error', NULL, 'no word', '2026-01-10T10:00:00.000Z');
INSERT INTO monitoring_session (id, model_calls, prompt_tokens, completion_tokens, total_tokens, started_at) VALUES
    (1, 2, 3, 4, 7, '2026-01-10T00:00:00.000Z');
