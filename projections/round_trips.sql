CREATE TABLE round_trips (
    entry_fill_id TEXT NOT NULL,
    exit_fill_id TEXT NOT NULL,
    trade_id TEXT NOT NULL,
    account_id TEXT,
    symbol TEXT,
    side TEXT,
    quantity REAL,
    entry_price REAL,
    exit_price REAL,
    timestamp_entry TEXT,
    timestamp_exit TEXT,
    pl_gross REAL,
    fees REAL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (trade_id, entry_fill_id, exit_fill_id)
) STRICT;
