-- projections.db, beside the tables themselves: how far each projection is, and what it remembers.
-- Never migrated: a file of another version is made anew from the log.

-- The cursor: `position` and the log's hash there, the digest of the projection's tables, and which generation of
-- the file this is (a rebuild makes the next). A projection that met an event it cannot read stands before it:
-- `stopped_at` is that event's position.
CREATE TABLE projections (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    generation INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    digest BLOB NOT NULL,
    stopped_at INTEGER,
    stopped_reason TEXT,
    PRIMARY KEY (name)
) STRICT;

-- How many rows each table has, and the sum of their hashes (docs/TABLES.md has the formula).
CREATE TABLE table_digests (
    name TEXT NOT NULL,
    projection TEXT NOT NULL,
    rows INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (name)
) STRICT;

-- Private to the folds: their memory, in a format of their own. `changed_at` is the end of the page that last changed
-- a value. Not WITHOUT ROWID: a trade is more than a page of such a table holds in place, and every value would
-- take a page of its own beside it.
CREATE TABLE fold_state (
    projection TEXT NOT NULL,
    drawer TEXT NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (projection, drawer, key)
) STRICT;

-- Positions from which the past can be told without folding from the beginning. A snapshot holds nothing by
-- itself: what is changed or deleted after it is kept in past_rows and past_state as it was at the snapshot, once;
-- what was not changed since still stands in the tables. A cache: all three can be emptied (together).
CREATE TABLE snapshots (
    projection TEXT NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    digests BLOB NOT NULL,
    PRIMARY KEY (projection, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE past_rows (
    name TEXT NOT NULL,
    key BLOB NOT NULL,
    snapshot INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (name, key, snapshot)
) STRICT;

CREATE TABLE past_state (
    projection TEXT NOT NULL,
    drawer TEXT NOT NULL,
    key BLOB NOT NULL,
    snapshot INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (projection, drawer, key, snapshot)
) STRICT;
