-- What a store may hold since schema version 8, when adoptions came to be reported and rows set aside to have an origin.

INSERT INTO adoptions (id, system, source, time_zone, adopted_at, report) VALUES
    (1, 'minecontext', '/home/ada/app.db', 'Europe/Berlin', '2026-02-01T00:00:00.000Z',
     '{"rows": {"todo": 2}, "set_aside": {"messages": 1}, "repeated_times": 1}');

INSERT INTO adopted_orphans (id, table_name, row, reason, is_carried, created_at, origin, acknowledged_at) VALUES
    (90, 'messages', '{"id": 5, "conversation_id": 43, "role": "user", "content": {"base64": "/w=="}}', 'conversation_id: the row it belongs to is lost', 0, '2026-02-01T00:00:00.000Z', 'adoption', NULL),
    (91, 'tips', '{"id": 6, "content": "odd", "created_at": "yesterday"}', 'created_at: the value cannot be read', 1, '2026-02-02T00:00:00.000Z', 'repair', '2026-02-03T00:00:00.000Z');
