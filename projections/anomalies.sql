CREATE TABLE anomalies (
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    trade_id TEXT,
    fill_id TEXT,
    detail TEXT,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (seq, kind)
) STRICT;
