INSERT INTO preferences (id, value, updated_at) VALUES
    ('app/theme', '{"dark":true}', '2026-01-31T09:30:00.000Z'),
    ('app/ü/b', NULL, '2026-01-31T09:30:00.000Z'),
    ('notes/cards_a_day', '20', '2026-01-31T09:30:00.000Z');
INSERT INTO task_runs (name, ran_at) VALUES ('notes.sync', '2026-01-31T09:30:00.000Z');
