"""A Streamlit page on the tables: `streamlit run dashboard.py -- [FOLDER]`. Reads beside whoever records."""

from __future__ import annotations

import sys

import streamlit as st

from tradefold import Journal

folder = sys.argv[1] if len(sys.argv) > 1 else "./journal"

st.set_page_config(page_title="Journal", layout="wide")
st.title("Journal")

with Journal(folder, read_only=True) as journal:
    state = journal.state()
    window = st.sidebar.number_input("Last trades (0 is all)", min_value=0, value=20)
    metrics = {group["account_id"]: group for group in journal.metrics(window=int(window))}
    account = st.sidebar.selectbox("Account", list(metrics))
    closed = {"status": "closed"} if account == "*" else {"status": "closed", "account": account}
    trades = journal.trades(**closed).to_pandas()
    anomalies = journal.anomalies().to_pandas()
    head, head_hash = journal.head, journal.head_hash

if account is None:
    st.info("No trade is closed yet.")
else:
    figures = metrics[account]
    columns = st.columns(4)
    columns[0].metric("Trades", figures["total_trades"])
    columns[1].metric("Won", f"{figures['win_rate'] or 0:.0%}", f"at least {figures['win_rate_wilson_lb'] or 0:.0%}", "off")
    columns[2].metric("Mean R", f"{figures['expected_r'] or 0:.2f}")
    columns[3].metric("Drawdown R", f"{figures['current_drawdown_r'] or 0:.2f}")
    trades = trades.sort_values(["timestamp_exit", "trade_id"])
    st.line_chart(trades.set_index("timestamp_exit")["result_r"].fillna(0).cumsum(), y_label="cumulative R")
    st.dataframe(trades[["trade_id", "timestamp_exit", "symbol", "strategy_used", "result_r", "pl_amount_net"]])

st.subheader("Open")
st.dataframe(state.open_trades)
if len(anomalies):
    st.subheader("Anomalies")
    st.dataframe(anomalies)
st.caption(f"head {head_hash} at position {head}")
