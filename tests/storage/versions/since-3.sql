-- Rows that a store may hold since schema version 3, when rows could be imported: what the import remembers, and the JSON
-- text `null` where nothing was exported, which imports wrote instead of NULL until version 10.

INSERT INTO activity (id, title, content, resources, metadata, start_time, end_time) VALUES
    (30, 'Imported', '', 'null', 'null', '2026-01-06T00:00:00.000Z', '2026-01-06T00:00:00.000Z');
INSERT INTO conversations (id, title, user_id, page_name, status, metadata, created_at, updated_at) VALUES
    (30, 'Imported', NULL, 'home', 'active', 'null', '2026-01-06T00:00:00.000Z', '2026-01-06T00:00:00.000Z');
INSERT INTO messages (id, conversation_id, parent_message_id, role, content, status, metadata, created_at, updated_at) VALUES
    (30, 30, NULL, 'user', 'word', 'completed', 'null', '2026-01-06T00:00:00.000Z', '2026-01-06T00:00:00.000Z');
INSERT INTO message_thinking (id, message_id, content, metadata, created_at) VALUES
    (30, 30, 'hm', 'null', '2026-01-06T00:00:00.000Z');
INSERT INTO chats (id, metadata, created_at, updated_at) VALUES
    ('imported', 'null', '2026-01-06T00:00:00.000Z', '2026-01-06T00:00:00.000Z');
INSERT INTO chat_histories (chat_id, messages, cache_info, updated_at) VALUES
    ('imported', '[null]', '{}', '2026-01-06T00:00:00.000Z');

INSERT INTO imported_rows (kind, identity, row_id) VALUES
    ('activities', x'00112233445566778899aabbccddeeff', 30),
    -- Of a row that was removed since.
    ('todos', x'ffeeddccbbaa99887766554433221100', 77);
