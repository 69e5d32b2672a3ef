-- What a store may hold since schema version 4, when rows became searchable: rows that the index has as they were before,
-- and ones that it does not have yet. The triggers note both in `search_pending`.

INSERT INTO vaults (id, title, content, created_at, updated_at) VALUES
    (40, 'Before', 'old', '2026-01-07T00:00:00.000Z', '2026-01-07T00:00:00.000Z'),
    (41, 'Removed', 'word', '2026-01-07T00:00:00.000Z', '2026-01-07T00:00:00.000Z');
INSERT INTO search_index (rowid, title, content, tags, facets)
    SELECT docid, title, content, tags, facets FROM search_vaults WHERE id IN (40, 41);
DELETE FROM search_pending WHERE docid IN (SELECT docid FROM search_vaults WHERE id IN (40, 41));
UPDATE vaults SET title = 'After', content = 'a new word' WHERE id = 40;
DELETE FROM vaults WHERE id = 41;
-- Of the tips, those behind the first are still to be put into the index.
INSERT OR REPLACE INTO search_fill (kind, after_id) VALUES (4, 1);
