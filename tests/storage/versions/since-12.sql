-- What a store may hold since schema version 12, when a todo got a time of its completion beside its end.

INSERT INTO todo (id, content, created_at, start_time, end_time, status, urgency, assignee, reason, completed_at, end_is_completion) VALUES
    -- Completed before its deadline, without an end, and at its end.
    (200, 'on time', '2026-03-01T00:00:00.000Z', NULL, '2026-03-09T00:00:00.000Z', 1, 2, NULL, NULL, '2026-03-02T08:00:00.000Z', 0),
    (201, 'at some time', '2026-03-01T00:00:00.000Z', NULL, NULL, 1, 2, NULL, NULL, NULL, 0),
    (202, 'then', '2026-03-01T00:00:00.000Z', NULL, '2026-03-02T08:00:00.000Z', 1, 2, NULL, NULL, '2026-03-02T08:00:00.000Z', 1);

-- By programs that do not know the new columns.
INSERT INTO todo (id, content, created_at, start_time, end_time, status, urgency, assignee, reason) VALUES
    (203, 'by another program', '2026-03-01T00:00:00.000Z', NULL, '2026-03-03T08:00:00.000Z', 1, 2, NULL, NULL),
    (204, 'pending', '2026-03-01T00:00:00.000Z', NULL, '2026-03-03T08:00:00.000Z', 0, 2, NULL, NULL);
