-- What a store may hold since schema version 14: conversations and messages with the ids of other programs, roles of
-- these, content in parts, and the model, tokens and cost of messages.

INSERT INTO conversations (id, title, user_id, page_name, status, metadata, created_at, updated_at, source, external_id) VALUES
    (140, 'Moved in', NULL, 'chat', 'active', '{}', '2023-11-14T22:13:20.000Z', '2023-11-14T22:14:43.000Z', 'elsewhere', 'c/1 ü'),
    (141, NULL, NULL, 'chat', 'active', '{}', '2023-11-14T22:13:20.000Z', '2023-11-14T22:13:20.000Z', 'somewhere else', 'c/1 ü'),
    (142, 'By hand', NULL, 'chat', 'active', '{}', '2023-11-14T22:13:20.000Z', '2023-11-14T22:13:20.000Z', 'elsewhere', NULL);

INSERT INTO messages (id, conversation_id, parent_message_id, role, content, status, token_count, metadata, latency_ms, error_message, completed_at, created_at, updated_at, external_id, parts, model, prompt_tokens, completion_tokens, cost) VALUES
    (1400, 140, NULL, 'developer', 'word', 'completed', 0, '{}', 0, NULL, '2023-11-14T22:13:20.000Z', '2023-11-14T22:13:20.000Z', '2023-11-14T22:13:20.000Z', 'm1', NULL, NULL, NULL, NULL, NULL),
    -- A cost of seventeen digits, and a parent that is younger than its child.
    (1401, 140, '1402', 'assistant', 'look', 'completed', 7, '{}', 83000, NULL, '2023-11-14T22:14:43.000Z', '2023-11-14T22:13:20.000Z', '2023-11-14T22:14:43.000Z', 'm2', '[{"type":"text","text":"look"},{"type":"image","reference":"file-ü"},{"type":"tool_call","name":"find","arguments":{"null":null,"list":[1.0]}}]', 'large', 10, 1000000000000, 0.30000000000000004),
    (1402, 140, '1400', 'function', '', 'completed', 0, '{}', 0, NULL, '2023-11-14T22:13:20.000Z', '2023-11-14T22:13:20.000Z', '2023-11-14T22:13:20.000Z', 'null', '[{"type":"tool_result","content":null,"is_error":true}]', '', 0, 0, 0),
    -- The same ids in another conversation, and none.
    (1403, 141, NULL, 'user', 'word', 'completed', 0, NULL, NULL, NULL, NULL, '2023-11-14T22:13:20.000Z', '2023-11-14T22:13:20.000Z', 'm1', '[]', '日本/ü', NULL, NULL, NULL),
    (1404, 141, NULL, 'user', 'word', 'completed', 0, NULL, NULL, NULL, NULL, '2023-11-14T22:13:20.000Z', '2023-11-14T22:13:20.000Z', NULL, NULL, NULL, NULL, NULL, 1e12);
