-- What a store may hold since schema version 10, when guards came to bring times to the stored form.

INSERT INTO tips (id, content, created_at) VALUES (-7, 'of another program', '2026-02-04 10:30:00+01:00');
