CREATE TABLE trades (
    trade_id TEXT NOT NULL,
    timestamp_entry TEXT,
    timestamp_exit TEXT,
    symbol TEXT,
    trade_type TEXT,
    strategy_used TEXT,
    regime_at_entry TEXT,
    timeframe TEXT,
    entry_price REAL,
    exit_price REAL,
    stop_loss_price REAL,
    take_profit_price REAL,
    position_size REAL,
    portfolio_equity_at_entry REAL,
    entry_execution_latency_ms REAL,
    exit_execution_latency_ms REAL,
    entry_slippage_ticks REAL,
    exit_slippage_ticks REAL,
    execution_quality_score REAL,
    order_type_entry TEXT,
    order_type_exit TEXT,
    holding_duration_minutes REAL,
    exit_reason TEXT,
    pl_amount_gross REAL,
    pl_amount_net REAL,
    pl_percentage REAL,
    result_r REAL,
    fees_paid REAL,
    win_loss TEXT,
    risk_reward_ratio REAL,
    mae REAL,
    mfe REAL,
    stop_distance_points REAL,
    volatility_at_entry REAL,
    volume_at_entry REAL,
    vwap_at_entry REAL,
    entry_vwap_distance_pct REAL,
    technical_signals_confluence REAL,
    adx_at_entry REAL,
    vwap_slope_at_entry REAL,
    strategy_confidence_score REAL,
    trade_success_probability REAL,
    tf_alignment_score REAL,
    conflicting_timeframes TEXT,
    spread_ticks_at_entry REAL,
    liquidity_quality_score REAL,
    account_id TEXT,
    dll_at_entry REAL,
    dll_remaining_after REAL,
    mental_state_pre_trade INTEGER,
    rule_breaks INTEGER,
    trade_trigger_signal TEXT,
    notes TEXT,
    status TEXT,
    quantity_open REAL,
    initial_stop_price REAL,
    risk_amount REAL,
    fills INTEGER,
    corrections INTEGER,
    tags TEXT,
    attributes TEXT,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (trade_id)
) STRICT;

CREATE INDEX idx_trades_timestamp_entry ON trades (timestamp_entry);
CREATE INDEX idx_trades_timestamp_exit ON trades (timestamp_exit);
CREATE INDEX idx_trades_strategy ON trades (strategy_used);
CREATE INDEX idx_trades_regime ON trades (regime_at_entry);
CREATE INDEX idx_trades_symbol ON trades (symbol);
CREATE INDEX idx_trades_win_loss ON trades (win_loss);
CREATE INDEX idx_trades_exit_reason ON trades (exit_reason);
CREATE INDEX idx_trades_strategy_regime ON trades (strategy_used, regime_at_entry);

-- SELECT trade_id FROM trades WHERE rowid IN (SELECT rowid FROM trades_search WHERE trades_search MATCH 'revenge')
CREATE VIRTUAL TABLE trades_search USING fts5 (notes, content='trades');
CREATE TRIGGER trades_search_insert AFTER INSERT ON trades WHEN new.notes IS NOT NULL BEGIN
    INSERT INTO trades_search (rowid, notes) VALUES (new.rowid, new.notes);
END;
CREATE TRIGGER trades_search_delete AFTER DELETE ON trades WHEN old.notes IS NOT NULL BEGIN
    INSERT INTO trades_search (trades_search, rowid, notes) VALUES ('delete', old.rowid, old.notes);
END;
-- One trigger, not two: SQLite does not promise an order between triggers, and a deletion that came last would
-- take the new text's words along.
CREATE TRIGGER trades_search_update AFTER UPDATE ON trades WHEN old.notes IS NOT new.notes BEGIN
    INSERT INTO trades_search (trades_search, rowid, notes) SELECT 'delete', old.rowid, old.notes WHERE old.notes IS NOT NULL;
    INSERT INTO trades_search (rowid, notes) SELECT new.rowid, new.notes WHERE new.notes IS NOT NULL;
END;
