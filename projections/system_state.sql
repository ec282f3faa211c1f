CREATE TABLE system_state (
    state_id INTEGER NOT NULL,
    timestamp TEXT,
    system_state TEXT,
    current_regime TEXT,
    active_strategy TEXT,
    daily_pnl_r REAL,
    weekly_pnl_r REAL,
    current_r REAL,
    consecutive_red_days INTEGER,
    account_id TEXT,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (state_id)
) STRICT;
