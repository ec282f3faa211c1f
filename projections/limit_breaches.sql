CREATE TABLE limit_breaches (
    account_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    date TEXT NOT NULL,
    timestamp TEXT,
    threshold REAL,
    value REAL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (account_id, rule, date)
) STRICT;
