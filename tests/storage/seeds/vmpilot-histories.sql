-- A database of the second seed's system in its first shape: histories in a table of their own.
CREATE TABLE chats (
    id TEXT PRIMARY KEY, initial_request TEXT, project_root TEXT, current_issue TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, metadata TEXT
);
INSERT INTO chats VALUES ('thread-1', 'hello', '/home/ada', '31', '2025-06-01 08:00:00', '{"colour":"red"}');
INSERT INTO chats VALUES ('thread-2', NULL, NULL, NULL, '2025-06-01 10:00:00.500000', NULL);
INSERT INTO chats VALUES ('', 'nameless', NULL, NULL, '2025-06-01 08:00:00', NULL);
CREATE TABLE chat_histories (
    id INTEGER PRIMARY KEY AUTOINCREMENT, chat_id TEXT NOT NULL, messages TEXT NOT NULL, cache_info TEXT,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, FOREIGN KEY (chat_id) REFERENCES chats (id)
);
INSERT INTO chat_histories VALUES (1, 'thread-1', '[{"role":"user","content":"old"}]', NULL, '2025-06-01 08:00:00');
INSERT INTO chat_histories VALUES (2, 'thread-1', '[{"role":"user","content":"hello"}]', '{"a":1}', '2025-06-02 08:00:00');
INSERT INTO chat_histories VALUES (3, 'thread-9', '[1]', '{}', '2025-06-02 08:00:00');
