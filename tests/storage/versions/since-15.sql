-- What a store may hold since schema version 15: an index by rules of an older program.

INSERT INTO search_format (version) VALUES ('0, Unicode 13.0.0');
