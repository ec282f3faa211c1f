CREATE TABLE notes (
    note_id INTEGER NOT NULL,
    timestamp TEXT,
    account_id TEXT,
    trade_id TEXT,
    date TEXT,
    text TEXT,
    tags TEXT,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (note_id)
) STRICT;

-- SELECT text FROM notes WHERE note_id IN (SELECT rowid FROM notes_search WHERE notes_search MATCH 'patience')
CREATE VIRTUAL TABLE notes_search USING fts5 (text, content='notes', content_rowid='note_id');
CREATE TRIGGER notes_search_insert AFTER INSERT ON notes BEGIN
    INSERT INTO notes_search (rowid, text) VALUES (new.note_id, new.text);
END;
CREATE TRIGGER notes_search_delete AFTER DELETE ON notes BEGIN
    INSERT INTO notes_search (notes_search, rowid, text) VALUES ('delete', old.note_id, old.text);
END;
CREATE TRIGGER notes_search_update AFTER UPDATE ON notes WHEN old.text IS NOT new.text BEGIN
    INSERT INTO notes_search (notes_search, rowid, text) VALUES ('delete', old.note_id, old.text);
    INSERT INTO notes_search (rowid, text) VALUES (new.note_id, new.text);
END;
