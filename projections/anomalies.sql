CREATE TABLE anomalies (
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    trade_id TEXT,
    fill_id TEXT,
    detail TEXT,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX idx_anomalies ON anomalies (seq, kind, ifnull(fill_id, ''));
