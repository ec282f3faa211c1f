"""Scenarios small enough to work out by hand, and the sums that must hold on any stream.

    python3 -m unittest test_fold
"""

import json
import sys
import unittest
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from corrections import CORRECTION_TYPES
from facts import event_of, read_events
from fold import fold
from generate import generate
from metrics import wilson_lower_bound

DAY = "2026-03-02T"  # a Monday; 15:00Z is 09:00 in Chicago


class Story:
    """Events one below the other, at a time of day of DAY or at a full time."""

    def __init__(self, point_value="1", **account):
        self.events = []
        self.at("15:00").say("AccountOpened", account_id="default", currency="USD", starting_equity="1000", **account)
        self.say("InstrumentDefined", symbol="ES", tick_size="0.25", point_value=point_value)

    def at(self, time):
        self.time = time if "T" in time else f"{DAY}{time}:00Z"
        return self

    def say(self, event_type, /, **data):
        position = len(self.events) + 1
        raw = {"seq": position, "id": f"e{position}", "type": event_type, "occurred_at": self.time, "data": data}
        self.events.append(event_of(raw, position))
        return self

    def open(self, trade_id, side="long", **data):
        return self.say("TradeOpened", trade_id=trade_id, symbol="ES", side=side, strategy="s", **data)

    def fill(self, fill_id, side, quantity, price, trade_id=None, **data):
        if trade_id:
            data["trade_id"] = trade_id
        return self.say(
            "FillRecorded", fill_id=fill_id, symbol="ES", side=side, quantity=quantity, price=price, **data
        )

    def round_trip(self, trade_id, entry, exit, **data):
        self.open(trade_id, **data)
        return self.fill(trade_id + "-in", "buy", 1, entry, trade_id).fill(
            trade_id + "-out", "sell", 1, exit, trade_id
        )

    def tables(self):
        return fold(self.events)

    def trades(self):
        return {row["trade_id"]: row for row in self.tables()["trades"]}


class Limits(unittest.TestCase):
    def account(self, story):
        row = story.tables()["accounts"][0]
        return tuple(row[name] for name in ("equity", "high_water_mark", "drawdown_floor", "drawdown_remaining"))

    def test_closing_equity_raises_the_mark_when_the_day_is_over_and_the_floor_locks(self):
        story = Story(trailing_drawdown="100", trailing_drawdown_locks_at="1000").round_trip("t", "10", "160")
        self.assertEqual(self.account(story), (1150.0, 1000.0, 900.0, 250.0))
        story.at("2026-03-03T15:00:00Z").say("CashMoved", account_id="default", amount="-50", kind="payout")
        self.assertEqual(self.account(story), (1100.0, 1100.0, 1000.0, 100.0))
        story.round_trip("u", "110", "10")
        breach = {"account_id": "default", "rule": "trailing_drawdown", "date": "2026-03-03",
                  "timestamp": "2026-03-03T15:00:00.000000Z", "threshold": 1000.0, "value": 1000.0}
        self.assertEqual(story.tables()["limit_breaches"], [breach])

    def test_open_trades_raise_the_intraday_mark_after_their_low_was_tested(self):
        story = Story(trailing_drawdown="100", trailing_drawdown_mode="intraday").fill("a", "buy", 2, "100", "t")
        story.say("ExcursionMarked", trade_id="t", high="140", low="60")
        self.assertEqual(self.account(story), (1000.0, 1080.0, 980.0, 20.0))
        self.assertEqual(story.tables()["limit_breaches"], [])
        story.say("ExcursionMarked", trade_id="t", high="100", low="90")
        self.assertEqual(story.tables()["limit_breaches"][0]["value"], 980.0)

    def test_a_breach_stays_when_its_cause_is_busted_and_a_correction_can_be_one(self):
        story = Story(daily_loss_limit="50", weekly_loss_limit="60").round_trip("t", "100", "50")
        story.at("16:00").say("FillBusted", fill_id="t-out", reason="exchange")
        story.say("FillCorrected", fill_id="t-in", reason="typo", fees="61")
        rows = story.tables()["limit_breaches"]
        told = [(row["rule"], row["timestamp"][11:16], row["threshold"], row["value"]) for row in rows]
        self.assertEqual(told, [("daily_loss_limit", "15:00", -50.0, -50.0), ("weekly_loss_limit", "16:00", -60.0, -61.0)])


class Trades(unittest.TestCase):
    def expect(self, row, **columns):
        self.assertEqual({name: row[name] for name in columns}, columns)

    def test_a_winner_from_flat_to_flat(self):
        story = Story("50").open("t", stop_price="4990", target_price="5030", equity="10000")
        story.at("15:01").fill("a", "buy", 2, "5000", "t", fees="4")
        story.at("15:31").fill("b", "sell", 2, "5010", "t", fees="4")
        self.expect(
            story.trades()["t"], status="closed", pl_amount_gross=1000.0, pl_amount_net=992.0, fees_paid=8.0,
            risk_amount=1000.0, result_r=0.992, win_loss="Win", pl_percentage=9.92, risk_reward_ratio=3.0,
            holding_duration_minutes=30.0, mae=0.0, mfe=10.0, stop_distance_points=10.0, position_size=2.0,
            timestamp_entry=DAY + "15:01:00.000000Z", timestamp_exit=DAY + "15:31:00.000000Z",
        )

    def test_round_trips_are_first_in_first_out(self):
        story = Story().fill("a", "buy", 1, "100").fill("b", "buy", 2, "110")
        story.fill("c", "sell", 2, "120").fill("d", "sell", 1, "90")
        trips = [
            (row["entry_fill_id"], row["exit_fill_id"], row["quantity"], row["pl_gross"])
            for row in story.tables()["round_trips"]
        ]
        self.assertEqual(trips, [("a", "c", 1.0, 20.0), ("b", "c", 1.0, 10.0), ("b", "d", 1.0, -20.0)])

    def test_a_fill_that_crosses_zero_is_split_with_its_fees(self):
        story = Story().fill("a", "buy", 2, "100").fill("b", "sell", 5, "101", fees="5")
        trades = story.trades()
        self.expect(trades["default:ES:a"], status="closed", fees_paid=2.0, pl_amount_gross=2.0)
        self.expect(trades["default:ES:b"], status="open", trade_type="Short", quantity_open=3.0, fees_paid=3.0)

    def test_a_fill_without_trade_goes_to_the_oldest_that_takes_it(self):
        story = Story().open("empty", side="long").fill("a", "sell", 1, "100", "short", account_id="default")
        story.fill("b", "sell", 1, "100").fill("c", "buy", 1, "100")
        trades = story.trades()
        self.expect(trades["short"], position_size=2.0, quantity_open=2.0)
        self.expect(trades["empty"], position_size=1.0)

    def test_initial_risk_survives_later_stops(self):
        story = Story().open("t").fill("a", "buy", 2, "100", "t")
        story.say("StopMoved", trade_id="t", stop_price="95").say("StopMoved", trade_id="t", stop_price="99")
        story.fill("b", "sell", 2, "105", "t")
        self.expect(
            story.trades()["t"], initial_stop_price=95.0, stop_loss_price=99.0, risk_amount=10.0, result_r=1.0
        )

    def test_excursions_count_bars_from_entry_while_open(self):
        def bar(story, start, high, low):
            story.say(
                "BarClosed", symbol="ES", timeframe="5m", timestamp=DAY + start + ":00Z", open="100", high=high,
                low=low, close="100", volume=1,
            )

        story = Story().at("15:05").fill("a", "buy", 1, "100").at("15:10")
        bar(story, "15:00", "200", "1")  # began before entry
        bar(story, "15:05", "103", "98")
        story.say("ExcursionMarked", trade_id="default:ES:a", high="104", low="99")
        story.fill("b", "sell", 1, "101")
        bar(story, "15:10", "300", "2")  # folded when flat
        self.expect(story.trades()["default:ES:a"], mae=2.0, mfe=4.0)

    def test_slippage_is_adverse_positive_and_weighted(self):
        story = Story().fill("a", "buy", 3, "100.25", intended_price="100")  # 1 tick
        story.fill("b", "buy", 1, "100", slippage_ticks="-3").fill("c", "buy", 9, "100")
        story.fill("d", "sell", 13, "99.5", intended_price="100", latency_ms=7)
        self.expect(
            story.trades()["default:ES:a"], entry_slippage_ticks=0.0, exit_slippage_ticks=2.0,
            exit_execution_latency_ms=7.0,
        )

    def test_an_exit_with_a_price_is_a_fill_of_all_that_is_open(self):
        story = Story().open("t").fill("a", "buy", 3, "100", "t")
        story.say("TradeExited", trade_id="t", reason="target", price="102", fees="0.5", order_type="limit")
        story.say("TradeExited", trade_id="t", reason="manual", price="150")  # nothing open: no fill
        tables = story.tables()
        self.expect(
            tables["trades"][0], status="closed", pl_amount_net=5.5, exit_reason="manual", order_type_exit="limit"
        )
        self.assertEqual([row["fill_id"] for row in tables["fills"]], ["a", "e5"])
        self.assertEqual(tables["anomalies"], [])

    def test_fills_of_closed_trades_and_overfills(self):
        story = Story().round_trip("t", "100", "101")
        story.fill("again", "buy", 1, "103", "t")  # reopens
        story.fill("more", "sell", 3, "104", "t")  # closes, and two go on
        story.fill("late", "sell", 1, "105", "t")  # goes on as a fill without a trade
        story.fill("late", "sell", 1, "106", "t")  # repeated
        tables = story.tables()
        trades = {row["trade_id"]: row for row in tables["trades"]}
        self.expect(trades["t"], status="closed", position_size=2.0, pl_amount_gross=2.0, fills=4)
        self.expect(trades["default:ES:more"], status="open", quantity_open=3.0)
        self.assertEqual([row["seq"] for row in tables["anomalies"]], [6, 7, 8, 9])

    def test_a_late_trade_opened_describes(self):
        story = Story().fill("a", "buy", 1, "100", "t")
        story.say(
            "TradeOpened", trade_id="t", symbol="NQ", side="long", strategy="late", account_id="other",
            notes="why", stop_price="99", conditions={"vwap": "80", "conflicting_timeframes": ["1h"]},
        )
        story.say("NoteAdded", trade_id="t", text="and how", tags=["x"]).open("t")
        self.expect(
            story.trades()["t"], symbol="ES", account_id="default", strategy_used="late", notes="why\nand how",
            tags='["x"]', initial_stop_price=99.0, entry_vwap_distance_pct=25.0, conflicting_timeframes='["1h"]',
        )

    def test_mental_state_is_the_latest_of_that_date_before_entry(self):
        story = Story().at("16:00").say("MentalStateRated", score=2)
        story.at("15:30").say("MentalStateRated", score=5)
        story.at("18:00").say("MentalStateRated", score=1)  # after entry
        story.at("17:00").fill("a", "buy", 1, "100")
        story.at("16:30").say("MentalStateRated", score=4)  # folded after the first fill
        self.assertEqual(story.trades()["default:ES:a"]["mental_state_pre_trade"], 2)


class Days(unittest.TestCase):
    def test_the_day_rolls_on_the_wall_clock(self):
        story = Story()
        for time in ("2026-03-06T22:59:59Z", "2026-03-06T23:00:00Z", "2026-03-09T21:59:59Z", "2026-03-09T22:00:00Z"):
            story.at(time).say("CashMoved", account_id="default", amount="1", kind="deposit")
            story.say("CashMoved", account_id="ghost", amount="1", kind="deposit")
        dates = {"default": [], "ghost": []}
        for row in story.tables()["daily_pnl"]:
            dates[row["account_id"]].append(row["date"])
        self.assertEqual(dates["default"], ["2026-03-06", "2026-03-07", "2026-03-09", "2026-03-10"])
        self.assertEqual(dates["ghost"], ["2026-03-06", "2026-03-09"])

    def test_money_is_of_the_day_it_was_realised(self):
        story = Story().fill("a", "buy", 2, "100", fees="1").fill("b", "sell", 1, "105", fees="1")
        story.at("2026-03-03T15:00:00Z").fill("c", "sell", 1, "99", fees="1")
        rows = story.tables()["daily_pnl"]
        monday, tuesday = rows
        self.assertEqual((monday["pl_gross"], monday["fees"], monday["trades_count"]), (5.0, 2.0, 0))
        self.assertEqual((tuesday["pl_net"], tuesday["trades_count"], tuesday["wins"]), (-2.0, 1, 1))
        self.assertEqual((monday["equity_close"], tuesday["equity_close"]), (1003.0, 1001.0))
        self.assertEqual((monday["is_red_day"], tuesday["is_red_day"]), (0, 1))

    def test_risk_state_and_red_days(self):
        story = Story(daily_loss_limit="50")
        for n, date in enumerate(("02", "03", "04"), 2):  # Monday and Tuesday red, Wednesday underway
            story.at(f"2026-03-{date}T15:00:00Z").round_trip(f"t{n}", "100", "98", risk_amount="4")
        story.say("StateChanged", state="halted", regime="range")
        tables = story.tables()
        risk = {row["key"]: row["value"] for row in tables["risk_state"]}
        self.assertEqual(risk, {
            "daily_pnl_r": -0.5, "weekly_pnl_r": -1.5, "consecutive_red_days": 2, "daily_loss_limit_remaining": 48.0,
        })
        state = tables["system_state"][0]
        self.assertEqual((state["daily_pnl_r"], state["weekly_pnl_r"], state["consecutive_red_days"]), (-0.5, -1.5, 2))
        self.assertEqual(tables["trades"][2]["dll_remaining_after"], 48.0)


class Metrics(unittest.TestCase):
    def test_windows_and_drawdown(self):
        story = Story(metrics_windows=[2, 0])
        for trade_id, exit in (("a", "98"), ("b", "103"), ("c", "99"), ("d", "101"), ("e", "101")):
            story.round_trip(trade_id, "100", exit, risk_amount="1")
        rows = story.tables()["performance_metrics"]
        self.assertEqual(len(rows), 10)
        two, everything = rows[-2:]
        self.assertEqual((two["total_trades"], two["profit_factor"], two["avg_loss_r"]), (2, None, None))
        self.assertEqual((everything["total_trades"], everything["profit_factor"]), (5, 5 / 3))
        self.assertEqual((everything["max_drawdown_r"], everything["current_drawdown_r"]), (2.0, 0.0))
        self.assertAlmostEqual(everything["win_rate_wilson_lb"], 0.230724, 5)

    def test_wilson_at_the_edges(self):
        self.assertIsNone(wilson_lower_bound(0, 0))
        self.assertEqual(wilson_lower_bound(0, 3), 0.0)

    def test_breakdown_by_rule_broken(self):
        story = Story().round_trip("a", "100", "101").round_trip("b", "100", "99")
        for _ in range(2):
            story.say("RuleBroken", rule="max-size", trade_id="b")
        rows = [row for row in story.tables()["performance_breakdown"] if row["dimension"] == "rule_broken"]
        found = {(row["account_id"], row["value"]): (row["total_wins"], row["rule_breaks"]) for row in rows}
        self.assertEqual(found, {
            ("*", "max-size"): (0, 2), ("*", "none"): (1, 0),
            ("default", "max-size"): (0, 2), ("default", "none"): (1, 0),
        })


class Corrections(unittest.TestCase):
    def test_history_keeps_what_was_known(self):
        story = Story(metrics_windows=[0]).round_trip("t", "100", "101", risk_amount="1")
        story.say("FillCorrected", fill_id="t-out", price="97", reason="r")
        tables = story.tables()
        self.assertEqual([row["expected_r"] for row in tables["performance_metrics"]], [1.0, -3.0])
        self.assertEqual([row["status"] for row in tables["fills"]], ["live", "corrected"])
        self.assertEqual(tables["daily_pnl"][0]["pl_net"], -3.0)

    def test_a_busted_entry_moves_what_followed(self):
        story = Story(metrics_windows=[0]).fill("a", "buy", 1, "100").fill("b", "sell", 1, "101")
        story.say("FillBusted", fill_id="a", reason="r").say("FillCorrected", fill_id="a", price="1", reason="r")
        tables = story.tables()
        self.assertEqual([row["trade_id"] for row in tables["trades"]], ["default:ES:b"])
        self.assertEqual([row["total_trades"] for row in tables["performance_metrics"]], [1, 0])
        self.assertEqual((tables["fills"][0]["status"], tables["fills"][0]["price"]), ("busted", 100.0))

    def test_an_amended_description(self):
        story = Story().round_trip("t", "100", "101", regime="range", risk_amount="1", notes="old")
        story.say("TradeExited", trade_id="t", reason="manual", notes="out")
        changes = {"risk_amount": "2", "regime": None, "notes": "new", "reason": "target"}
        story.say("TradeAmended", trade_id="t", reason="r", changes=changes)
        story.say("TradeAmended", trade_id="t", reason="r", changes={"risk_amount": "4"})
        row = story.trades()["t"]
        self.assertEqual((row["result_r"], row["regime_at_entry"]), (0.25, None))
        self.assertEqual((row["notes"], row["exit_reason"]), ("new\nout", "target"))

    def test_a_voided_trade_counts_nowhere(self):
        story = Story().open("t").fill("a", "buy", 1, "100", "t", fees="1")
        story.say("TradeVoided", trade_id="t", reason="r").fill("b", "sell", 1, "101")
        tables = story.tables()
        status = {row["trade_id"]: (row["status"], row["fees_paid"]) for row in tables["trades"]}
        self.assertEqual(status, {"t": ("voided", 1.0), "default:ES:b": ("open", 0.0)})
        self.assertEqual([row["fees"] for row in tables["daily_pnl"]], [0.0])
        self.assertEqual(tables["fills"][0]["trade_id"], "t")

    def test_fills_reassigned_split_a_trade(self):
        story = Story().open("t")
        story.fill("a", "buy", 1, "100", "t").fill("b", "buy", 1, "110", "t")
        story.fill("c", "sell", 1, "120", "t").fill("d", "sell", 1, "130", "t")
        story.say("FillsReassigned", fill_ids=["b", "d"], trade_id="u", reason="r")
        tables = story.tables()
        gross = {row["trade_id"]: (row["status"], row["pl_amount_gross"]) for row in tables["trades"]}
        self.assertEqual(gross, {"t": ("closed", 20.0), "u": ("closed", 20.0)})
        self.assertEqual(tables["anomalies"], [])


def rewritten(lines):
    """A stream whose only corrections are of recorded fills, and the stream that needs none of them."""
    kept = {"FillCorrected", "FillBusted"}
    events, fills = [], {}
    for event in read_events(json.dumps(line) for line in lines):
        fill_id = event.data.get("fill_id")
        if event.type == "FillRecorded" and fill_id not in fills:
            fills[fill_id] = event
        elif event.type in kept and fill_id not in fills:
            continue
        elif event.type in ("FillRecorded", *CORRECTION_TYPES - kept):
            continue
        events.append(event)
    busted, changes = set(), {}
    for event in events:
        fill_id = event.data.get("fill_id")
        if event.type == "FillBusted":
            busted.add(fill_id)
        elif event.type == "FillCorrected":
            fields = {name: value for name, value in event.data.items() if name not in ("fill_id", "reason")}
            changes[fill_id] = changes.get(fill_id, {}) | fields
    right = [
        replace(event, data=event.data | changes.get(event.data.get("fill_id"), {}))
        for event in events
        if event.type not in kept and event.data.get("fill_id") not in busted
    ]
    return events, right


class Sums(unittest.TestCase):
    """On any stream, and to the last digit of the floats' tolerance."""

    def check(self, seed, **kind):
        lines = generate(seed, 250, **kind)
        tables = fold(read_events(json.dumps(line) for line in lines))
        trades = [row for row in tables["trades"] if row["status"] != "voided"]
        closed = {row["trade_id"] for row in trades if row["status"] == "closed"}
        self.total(trades, "pl_amount_gross", tables["round_trips"], "pl_gross")
        self.total(trades, "pl_amount_gross", tables["daily_pnl"], "pl_gross")
        self.total(trades, "fees_paid", tables["daily_pnl"], "fees")
        self.total(
            [row for row in trades if row["trade_id"] in closed], "fees_paid",
            [row for row in tables["round_trips"] if row["trade_id"] in closed], "fees",
        )
        self.assertEqual(len(closed), sum(row["trades_count"] for row in tables["daily_pnl"]))
        for row in trades:
            self.assertEqual(row["status"] == "closed", row["quantity_open"] == 0 and row["position_size"] > 0)
        return tables

    def total(self, rows, column, others, other):
        ours, theirs = (sum(row[c] for row in rs) for rs, c in ((rows, column), (others, other)))
        self.assertAlmostEqual(ours, theirs, delta=1e-9 * max(1, sum(abs(row[column]) for row in rows)))

    def test_corrections_are_as_if_recorded_right(self):
        for seed in range(5):
            events, right = rewritten(generate(seed, 300))
            corrected, recorded = fold(events), fold(right)
            for table in ("trades", "round_trips", "daily_pnl", "performance_breakdown"):
                self.assertEqual(corrected[table], recorded[table])

    def test_sums_agree(self):
        for seed in range(5):
            self.check(seed)
            self.check(seed, odd=True)

    def test_a_tame_stream_has_no_anomalies(self):
        for seed in range(5):
            self.assertEqual(self.check(seed, tame=True)["anomalies"], [])


if __name__ == "__main__":
    unittest.main()
