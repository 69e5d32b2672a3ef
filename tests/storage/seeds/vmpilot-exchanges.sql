-- The second seed's system in its later shape: messages inside the chats, and exchanges.
CREATE TABLE chats (
    chat_id TEXT PRIMARY KEY, initial_request TEXT, project_root TEXT, messages TEXT, cache_info TEXT,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO chats VALUES ('thread-1', 'hello', '/home/ada', '[{"role":"user","content":"hello"}]', '{"a":1}', '2025-06-01 10:00:00.500000');
INSERT INTO chats VALUES ('thread-2', NULL, NULL, NULL, NULL, '2025-06-01 08:00:00');
CREATE TABLE exchanges (
    exchange_id INTEGER PRIMARY KEY AUTOINCREMENT, chat_id TEXT, model TEXT, request TEXT, cost JSON,
    start TIMESTAMP, "end" TIMESTAMP, FOREIGN KEY (chat_id) REFERENCES chats (chat_id)
);
INSERT INTO exchanges VALUES (1, 'thread-1', 'm', 'one', '{"total":0.5,"cache":1}', '2025-06-01 10:00:00.500000', '2025-06-01 10:00:01.500000');
INSERT INTO exchanges VALUES (4, 'thread-1', 'm', 'two', '0.25', '2025-06-01 08:00:05', NULL);
INSERT INTO exchanges VALUES (5, 'thread-9', 'm', 'whose am I', NULL, '2025-06-01 08:00:05', NULL);
