-- projections.db, beside the tables themselves: how far each projection is, and what it remembers.
-- Never migrated: a file of another version is emptied and refolded.

-- The cursor: `position` and the log's hash there. A projection that met an event it cannot read stands
-- before it: `stopped_at` is that event's position.
CREATE TABLE projections (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    stopped_at INTEGER,
    stopped_reason TEXT,
    PRIMARY KEY (name)
) STRICT;

-- Private to the folds: their memory, in a format of their own. Not WITHOUT ROWID: a trade is more than a page of
-- such a table holds in place, and every value would take a page of its own beside it.
CREATE TABLE fold_state (
    projection TEXT NOT NULL,
    drawer TEXT NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (projection, drawer, key)
) STRICT;
