CREATE TABLE rule_breaks (
    rule_break_id INTEGER NOT NULL,
    timestamp TEXT,
    rule TEXT,
    severity TEXT,
    trade_id TEXT,
    account_id TEXT,
    detail TEXT,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (rule_break_id)
) STRICT;
