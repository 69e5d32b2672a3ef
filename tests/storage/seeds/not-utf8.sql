-- Text that no system should write, but one did.
CREATE TABLE vaults (id INTEGER PRIMARY KEY, title TEXT, content TEXT);
CREATE TABLE todo (id INTEGER PRIMARY KEY, content TEXT, status INTEGER);
CREATE TABLE activity (id INTEGER PRIMARY KEY, title TEXT, content TEXT);
INSERT INTO todo VALUES (1, CAST(x'FF41' AS TEXT), 0);
