CREATE TABLE daily_pnl (
    date TEXT NOT NULL,
    account_id TEXT NOT NULL,
    pnl_r REAL,
    is_red_day INTEGER,
    trades_count INTEGER,
    pl_gross REAL,
    pl_net REAL,
    fees REAL,
    wins INTEGER,
    losses INTEGER,
    rule_breaks INTEGER,
    equity_close REAL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (date, account_id)
) STRICT;
