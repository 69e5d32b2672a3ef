-- What a store may hold since schema version 18, whose guards bring times to the stored form as those before did.

INSERT INTO tips (id, content, created_at) VALUES (-18, 'of another program, later', '2026-02-05 10:30:00+01:00');
