-- What a store may hold since schema version 16, when long work came to be jobs.

INSERT INTO jobs (id, name, status, arguments, done, total, message, result, error, error_code, attempts, created_at, started_at, finished_at) VALUES
    (160, 'backups.create', 'done', '{"reason": "manual"}', 3, 3, 'word', '{"name": "日本"}', NULL, NULL, 1, '2026-01-10T10:00:00.000Z', '2026-01-10T10:00:01.000Z', '2026-01-10T10:00:02.000Z'),
    (161, 'notes.import_deck', 'failed', '{}', 1, NULL, NULL, 'null', 'The job notes.import_deck failed with ValueError: no word', 'job_failed', 3, '2026-01-10T11:00:00.000Z', '2026-01-10T11:00:01.000Z', '2026-01-10T11:00:02.000Z'),
    -- Its module is not loaded, so it waits.
    (162, 'notes.import_deck', 'queued', '{"path": "ü"}', 0, NULL, NULL, NULL, NULL, NULL, 0, '2026-01-10T12:00:00.000Z', NULL, NULL),
    -- As another program may write it.
    (163, 'other', 'interrupted', NULL, 0, NULL, NULL, NULL, NULL, NULL, 0, '2026-01-10 13:00:00', NULL, NULL);
