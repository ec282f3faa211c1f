CREATE TABLE fills (
    fill_id TEXT NOT NULL,
    timestamp TEXT,
    account_id TEXT,
    symbol TEXT,
    side TEXT,
    quantity REAL,
    price REAL,
    fees REAL,
    trade_id TEXT,
    order_id TEXT,
    order_type TEXT,
    intended_price REAL,
    slippage_ticks REAL,
    latency_ms REAL,
    liquidity TEXT,
    status TEXT,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (fill_id)
) STRICT;
CREATE INDEX idx_fills_trade_id ON fills (trade_id);
CREATE INDEX idx_fills_account_timestamp ON fills (account_id, timestamp);
