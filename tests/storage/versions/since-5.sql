-- Rows that a store may hold since schema version 5: contexts and todos by meaning. Vectors are 32-bit floats.

INSERT INTO vector_collections (name, dimension, model) VALUES
    ('knowledge', 4, 'm'),
    ('intent', 4, NULL),
    ('todo', 4, NULL);

INSERT INTO processed_contexts (id, context_id, context_type, title, summary, keywords, entities, confidence, importance, create_time, event_time, update_time, call_count, merge_count, duration_count, source, raw_type, raw_id, text, metadata) VALUES
    (1, 'bare', 'intent', NULL, NULL, '[]', '[]', NULL, NULL, '2026-01-08T00:00:00.000Z', '2026-01-08T00:00:00.000Z', '2026-01-08T00:00:00.000Z', 0, 0, 1, NULL, NULL, NULL, '', '{}'),
    (5, 'ü/ö .', 'knowledge', 'word', '', '["word", "", "日本"]', '["Ada", {"name": "bakery", "none": null}, null, 1.0]', 0.75, -3.5, '2026-01-08T00:00:00.000Z', '2025-01-08T00:00:00.001Z', '2026-01-09T00:00:00.000Z', 1, 2, 9007199254740992, 'screen', '', 'null', 'long' || char(0) || ' text', '{"project": "x", "nested": {"null": null}}');

INSERT INTO context_vectors (id, vector) VALUES
    (1, x'0000803f0000003f000080be00000000'),  -- 1, 0.5, -0.25, 0
    (5, x'0000000000000000000080bf0000803f');  -- 0, 0, -1, 1

INSERT INTO todo_embeddings (todo_id, content, vector, metadata) VALUES
    (1, 'word', x'0000803f0000003f000080be00000000', '{}'),
    (4503599627370496, 'what it was', x'000080bf000000bf0000803e00000000', '{"a": [null]}');  -- the opposite
