-- Rows that a store may hold since schema version 2: growing messages, conversation states, exchanges.

INSERT INTO conversations (id, title, user_id, page_name, status, metadata, created_at, updated_at, restored_status) VALUES
    (4, 'Archived, then deleted', NULL, 'home', 'deleted', '{}', '2026-01-01T00:00:00.000Z', '2026-01-04T00:00:00.000Z', 'archived'),
    (5, 'Growing', NULL, 'home', 'active', '{}', '2026-01-01T00:00:00.000Z', '2026-01-05T00:00:00.000Z', NULL);

-- Were growing when their sidecar was killed: with chunks after a beginning, and without any.
INSERT INTO messages (id, conversation_id, parent_message_id, role, content, status, token_count, metadata, created_at, updated_at) VALUES
    (10, 5, NULL, 'assistant', 'one ', 'streaming', 1, '{"model": "m"}', '2026-01-05T00:00:00.000Z', '2026-01-05T00:00:00.000Z'),
    (11, 5, '10', 'assistant', '', 'streaming', 0, NULL, '2026-01-05T00:00:00.000Z', '2026-01-05T00:00:00.000Z');
INSERT INTO message_chunks (message_id, sequence, content, token_count) VALUES
    (10, 1, '日本', 4),
    (10, 0, 'two ', 2);

INSERT INTO chats (id, initial_request, project_root, current_issue, metadata, created_at, updated_at) VALUES
    ('thread-1', 'fix it', '/home/ada', '31', '{"colour": "red"}', '2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'),
    ('ü/ö?a=b#c%2F', NULL, NULL, NULL, NULL, '2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'),
    ('..', '', '', 'null', '{}', '2026-01-01T00:00:00.000Z', '2026-01-03T00:00:00.001Z');

-- '..' was cleared: it has none.
INSERT INTO chat_histories (chat_id, messages, cache_info, updated_at) VALUES
    ('thread-1', '[{"role": "user", "content": "fix it"}, null, 1.0, "null", []]', '{"cached": [0], "null": null}', '2026-01-02T00:00:00.000Z'),
    ('ü/ö?a=b#c%2F', '[]', '{}', '2026-01-02T00:00:00.000Z');

INSERT INTO exchanges (exchange_id, chat_id, model, request, cost, start, "end") VALUES
    (1, 'thread-1', 'm', 'word', '{"total": 0.25, "cache_read": 1}', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.500Z'),
    (4, 'thread-1', '', '', '{}', '2026-01-01T00:00:05.000Z', NULL),
    -- What another tool stored beside amounts.
    (5, '..', 'm', '日本', '{"total": 0.5, "currency": "EUR", "parts": [1], "none": null}', '2026-01-01T00:00:05.000Z', '2026-01-01T00:00:05.000Z');
