CREATE TABLE accounts (
    account_id TEXT NOT NULL,
    currency TEXT,
    starting_equity REAL,
    kind TEXT,
    broker TEXT,
    time_zone TEXT,
    day_rolls_at TEXT,
    daily_loss_limit REAL,
    weekly_loss_limit REAL,
    trailing_drawdown REAL,
    profit_target REAL,
    metrics_windows TEXT,
    equity REAL,
    attributes TEXT,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (account_id)
) STRICT;
