-- What a store may hold since schema version 11, when large results came to expire and work to be planned under its key.

INSERT INTO idempotency_keys (key, fingerprint, result, created_at, state, begins_at, ends_at, outlives_restore) VALUES
    ('large', x'00', '{"id": 1, "content": "long"}', '2026-03-01T00:00:00.000Z', NULL, 0, 28, 0),
    ('expired', x'00', '1', '2026-03-01T00:00:00.000Z', 'expired', NULL, NULL, 0),
    ('planned', x'00', '"20260301T000000.000Z-schema-11-on-request.db"', '2026-03-01T00:00:00.000Z', 'planned', NULL, NULL, 0),
    ('restore', x'00', '{"restored": null, "kept": null}', '2026-03-01T00:00:00.000Z', NULL, NULL, NULL, 1);
