CREATE TABLE market_data (
    bar_id INTEGER NOT NULL,
    timestamp TEXT,
    symbol TEXT,
    timeframe TEXT,
    open_price REAL,
    high_price REAL,
    low_price REAL,
    close_price REAL,
    volume REAL,
    vwap REAL,
    adx REAL,
    atr REAL,
    regime TEXT,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (bar_id),
    UNIQUE (timestamp, symbol, timeframe)
) STRICT;
