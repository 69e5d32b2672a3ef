-- An early one: no assignee and reason, no metadata of activities, and none of the later tables.
CREATE TABLE vaults (
    id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, summary TEXT, content TEXT, tags TEXT,
    parent_id INTEGER, is_folder BOOLEAN DEFAULT 0, is_deleted BOOLEAN DEFAULT 0,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    document_type TEXT DEFAULT 'vaults', sort_order INTEGER DEFAULT 0
);
INSERT INTO vaults (id, title, content, created_at, updated_at)
    VALUES (1, 'Note', 'Text', '2025-06-01 08:00:00', '2025-06-01 08:00:00');
CREATE TABLE todo (
    id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT, created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    start_time DATETIME, end_time DATETIME, status INTEGER DEFAULT 0, urgency INTEGER DEFAULT 0
);
INSERT INTO todo (id, content, created_at) VALUES (1, 'water', '2025-06-01 08:00:00');
CREATE TABLE activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, content TEXT, resources JSON, start_time DATETIME, end_time DATETIME
);
INSERT INTO activity VALUES (1, 'Review', 'Read', NULL, '2025-06-01 10:00:00.250000', '2025-06-01 11:00:00.750000');
