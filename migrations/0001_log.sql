-- events.db, version 1: the log. It is the only truth; every table of projections.db follows from it.
--
-- Nothing here is ever changed or deleted: the triggers refuse it from any program. They guard against
-- accidents. Against intent stands the hash chain (docs/EVENTS.md), since whoever may write the file
-- may drop the triggers.

PRAGMA application_id = 1952869476; -- 0x74666c64, "tfld"
PRAGMA user_version = 1;

-- Who this log is: one row. The UUID is bound into every hash, so that events of one journal cannot be
-- passed off as another's.
CREATE TABLE journal (
    uuid       BLOB    NOT NULL CHECK (length(uuid) = 16),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE streams (
    stream_id INTEGER PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE CHECK (name <> '')
) STRICT;

-- Times are microseconds since 1970-01-01T00:00:00Z. Positions are given by the writer, and the trigger
-- below takes the next one only; AUTOINCREMENT would add nothing but a page to write at each commit.
CREATE TABLE events (
    seq            INTEGER PRIMARY KEY,
    id             BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    stream_id      INTEGER NOT NULL REFERENCES streams (stream_id),
    stream_version INTEGER NOT NULL,
    type           TEXT    NOT NULL,
    schema_version INTEGER NOT NULL,
    occurred_at    INTEGER NOT NULL,
    recorded_at    INTEGER NOT NULL,
    data           TEXT    NOT NULL,
    meta           TEXT,
    hash           BLOB    NOT NULL CHECK (length(hash) = 32),
    UNIQUE (stream_id, stream_version)
) STRICT;

-- Finds the event that recorded a fill, whose stream its corrections join.
CREATE INDEX events_fill_id ON events (data ->> '$.fill_id') WHERE type = 'FillRecorded';

-- INSERT OR REPLACE deletes the row in its way without firing a delete trigger, so everything that
-- could stand in the way is checked before the insert.
CREATE TRIGGER events_only_append BEFORE INSERT ON events BEGIN
    SELECT RAISE(ABORT, 'events are only appended: not the next position')
    WHERE NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM events);
    SELECT RAISE(ABORT, 'events are only appended: the id is taken')
    WHERE EXISTS (SELECT 1 FROM events WHERE id = NEW.id);
    SELECT RAISE(ABORT, 'events are only appended: not the next version of the stream')
    WHERE NEW.stream_version IS NOT
        (SELECT coalesce(max(stream_version), 0) + 1 FROM events WHERE stream_id = NEW.stream_id);
END;

CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN
    SELECT RAISE(ABORT, 'events are never changed: append an event that corrects');
END;

CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN
    SELECT RAISE(ABORT, 'events are never deleted: append an event that corrects');
END;

CREATE TRIGGER streams_only_append BEFORE INSERT ON streams BEGIN
    SELECT RAISE(ABORT, 'streams are only appended: not the next stream')
    WHERE NEW.stream_id IS NOT (SELECT coalesce(max(stream_id), 0) + 1 FROM streams);
    SELECT RAISE(ABORT, 'streams are only appended: the name is taken')
    WHERE EXISTS (SELECT 1 FROM streams WHERE name = NEW.name);
END;

CREATE TRIGGER streams_no_update BEFORE UPDATE ON streams BEGIN
    SELECT RAISE(ABORT, 'streams are never changed');
END;

CREATE TRIGGER streams_no_delete BEFORE DELETE ON streams BEGIN
    SELECT RAISE(ABORT, 'streams are never deleted');
END;

CREATE TRIGGER journal_one_row BEFORE INSERT ON journal WHEN EXISTS (SELECT 1 FROM journal) BEGIN
    SELECT RAISE(ABORT, 'a log belongs to one journal');
END;

CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN
    SELECT RAISE(ABORT, 'the journal''s identity is never changed');
END;

CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN
    SELECT RAISE(ABORT, 'the journal''s identity is never deleted');
END;

-- The log as people read it. A LEFT JOIN, so that an event whose stream was tampered away still shows.
CREATE VIEW history AS
SELECT
    seq,
    lower(substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4) || '-'
        || substr(hex(id), 17, 4) || '-' || substr(hex(id), 21)) AS id,
    name AS stream,
    stream_version,
    type,
    schema_version,
    strftime('%Y-%m-%dT%H:%M:%S', (occurred_at - (occurred_at % 1000000 + 1000000) % 1000000) / 1000000, 'unixepoch')
        || printf('.%06dZ', (occurred_at % 1000000 + 1000000) % 1000000) AS occurred_at,
    strftime('%Y-%m-%dT%H:%M:%S', (recorded_at - (recorded_at % 1000000 + 1000000) % 1000000) / 1000000, 'unixepoch')
        || printf('.%06dZ', (recorded_at % 1000000 + 1000000) % 1000000) AS recorded_at,
    data,
    meta,
    lower(hex(hash)) AS hash
FROM events LEFT JOIN streams USING (stream_id);
