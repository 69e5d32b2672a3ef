-- What a store may hold since schema version 7, when old keys came to be removed, and, where it was adopted, rows that
-- were set aside, as adoption kept them until version 8.

INSERT INTO idempotency_keys (key, fingerprint, result, created_at) VALUES
    ('key of long ago', x'00', 'null', '2020-01-01T00:00:00.000Z');

CREATE TABLE IF NOT EXISTS adopted_orphans (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    table_name TEXT NOT NULL,
    row JSON TEXT NOT NULL,
    reason TEXT NOT NULL,
    is_carried BOOLEAN NOT NULL,
    created_at DATETIME NOT NULL
);
INSERT INTO adopted_orphans (table_name, row, reason, is_carried, created_at) VALUES
    ('messages', '{"id": 3, "conversation_id": 42, "role": "user", "content": "whose am I"}', 'conversation_id: the row it belongs to is lost', 0, '2026-01-10T00:00:00.000Z'),
    ('todo', '{"id": 8, "content": "odd", "status": 5, "reason": "00ff"}', 'status: 5 is no status', 1, '2026-01-10T00:00:00.000Z');
