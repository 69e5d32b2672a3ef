-- Rows that a store may hold since schema version 6, when monitoring came to be listed by hour and then by id: several of
-- one hour, whose names are in another order than their ids.

INSERT INTO monitoring_token_usage (id, time_bucket, model, prompt_tokens, completion_tokens, total_tokens, created_at) VALUES
    (60, '2026-01-09T10:00:00.000Z', 'z', 1, 1, 2, '2026-01-09T10:00:00.000Z'),
    (61, '2026-01-09T10:00:00.000Z', 'a', 1, 1, 2, '2026-01-09T10:00:00.000Z');
INSERT INTO monitoring_stage_timing (id, time_bucket, stage_name, count, total_duration_ms, min_duration_ms, max_duration_ms, avg_duration_ms, success_count, error_count, metadata, created_at) VALUES
    (60, '2026-01-09T10:00:00.000Z', 'z', 1, 5, 5, 5, 5, 1, 0, '[1]', '2026-01-09T10:00:00.000Z'),
    (61, '2026-01-09T10:00:00.000Z', 'a', 1, 0, 0, 0, 0, 0, 1, NULL, '2026-01-09T10:00:00.000Z');
INSERT INTO monitoring_data_stats (id, time_bucket, data_type, count, context_type, metadata, created_at) VALUES
    (60, '2026-01-09T10:00:00.000Z', 'z', 0, '', NULL, '2026-01-09T10:00:00.000Z'),
    (61, '2026-01-09T10:00:00.000Z', 'a', 1, 'entity', '"text"', '2026-01-09T10:00:00.000Z');
