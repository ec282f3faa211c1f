"""Recording: every event of the contract, exact values, answers, refusals."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import threading
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradefold import (
    BusyError,
    ClosedError,
    ConflictError,
    Journal,
    NoJournalError,
    ReadOnlyError,
    RefusedError,
    VersionMismatchError,
    _tradefold,
    new_id,
)

from journals import a_trade, at, mesh

METHODS = {
    "AccountOpened": "open_account",
    "InstrumentDefined": "define_instrument",
    "TradeOpened": "open_trade",
    "FillRecorded": "fill",
    "StopMoved": "move_stop",
    "TargetMoved": "move_target",
    "ExcursionMarked": "mark_excursion",
    "TradeExited": "exit",
    "RuleBroken": "break_rule",
    "MentalStateRated": "rate_mental_state",
    "NoteAdded": "note",
    "StateChanged": "change_state",
    "RiskSet": "set_risk",
    "CashMoved": "move_cash",
    "BarClosed": "close_bar",
    "FillCorrected": "correct_fill",
    "FillBusted": "bust_fill",
    "TradeAmended": "amend_trade",
    "TradeVoided": "void_trade",
    "FillsReassigned": "reassign_fills",
}

# Of old versions only.
GONE = {("NoteAdded", "tag")}


def test_every_field_of_every_event_is_an_argument_of_its_method() -> None:
    vocabulary = _tradefold.vocabulary()
    assert {name for name, _ in vocabulary} == set(METHODS)
    for name, fields in vocabulary:
        parameters = inspect.signature(getattr(Journal, METHODS[name])).parameters
        own = [field for field, _, _ in fields if "." not in field and (name, field) not in GONE]
        assert [p for p in parameters if p not in ("self", "options")] != []
        assert set(own) == set(parameters) - {"self", "options"}, name
        for field, _, required in fields:
            left_out = name == "FillRecorded" and field in ("fill_id", "symbol")
            if "." not in field and required and not left_out:
                assert parameters[field].default is inspect.Parameter.empty, (name, field)


def test_every_method_records_what_it_is_given(journal: Journal) -> None:
    j = journal
    j.open_account("apex", currency="USD", starting_equity=50_000, kind="evaluation", metrics_windows=[20, 0])
    mesh(j)
    j.open_trade("T", symbol="MESH6", side="long", strategy="orb", account_id="apex", conditions={"atr": Decimal("1.5")})
    j.fill("T", side="buy", quantity=2, price="5712.25", fill_id="F-1")
    j.move_stop("T", "5710", reason="trail")
    j.move_target("T", 5730)
    j.mark_excursion("T", high="5715.5", low="5711")
    j.exit("T", reason="target", price=5724.25, id=(exit_id := new_id()))
    j.break_rule("no revenge", trade_id="T", severity="minor")
    j.rate_mental_state(4, account_id="apex")
    j.note("clean", trade_id="T", date=dt.date(2026, 3, 2), tags=["review"])
    j.change_state("ACTIVE", account_id="apex", regime="TREND")
    j.set_risk("max_contracts", 4, account_id="apex")
    j.move_cash("apex", amount="-500.25", kind="payout")
    j.close_bar("MESH6", timeframe="5m", timestamp=at(0), open=1, high=2, low=1, close=2, volume=10)
    j.correct_fill("F-1", reason="statement", price="5712.50")
    j.bust_fill(exit_id, reason="exchange")
    j.amend_trade("T", {"strategy": "vwap", "stop_price": None}, reason="mislabelled")
    j.fill(symbol="ZN", side="buy", quantity=1, price="110.015625", fill_id="F-2", account_id="apex")
    j.reassign_fills(["F-2"], trade_id="T-2", reason="another trade")
    assert j.void_trade("T-2", reason="test") == 21
    events = list(j.events())
    assert {event.type for event in events} == set(METHODS)
    by_type = {event.type: event.data for event in events}
    assert by_type["TradeOpened"]["conditions"] == {"atr": Decimal("1.5")}
    assert by_type["BarClosed"]["timestamp"] == at(0)
    assert by_type["TradeAmended"]["changes"] == {"strategy": "vwap", "stop_price": None}
    assert by_type["NoteAdded"] == {"text": "clean", "trade_id": "T", "date": "2026-03-02", "tags": ["review"]}
    assert by_type["FillCorrected"]["price"] == Decimal("5712.50")


def test_a_fill_takes_its_trades_symbol_and_its_events_id(folder: str) -> None:
    with Journal(folder) as j:
        j.open_trade("T", symbol="MESH6", side="long", strategy="orb")
        assert j._symbols == {"T": "MESH6"}
    with Journal(folder) as j:
        # Now from the table.
        j.fill("T", side="buy", quantity=2, price=1)
        [fill] = j.fills()
        assert (fill["symbol"], fill["trade_id"]) == ("MESH6", "T")
        assert fill["fill_id"] == str(list(j.events())[1].id)
        with pytest.raises(RefusedError, match="no trade X is known") as unknown:
            j.fill("X", side="buy", quantity=2, price=1)
        assert unknown.value.field == "data.symbol"
        with pytest.raises(RefusedError, match="names its symbol"):
            j.fill(side="buy", quantity=2, price=1)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (Decimal("5712.250"), "5712.25"),
        (Decimal("1E+2"), "100"),
        (7, "7"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        ("5712.25", "5712.25"),
        ("1.1e2", "110"),
    ],
)
def test_numbers_are_kept_to_the_last_digit(journal: Journal, given: object, kept: str) -> None:
    journal.append({"type": "StopMoved", "occurred_at": at(0), "data": {"trade_id": "T", "stop_price": given}})
    [event] = journal.events()
    assert json.loads(event.line)["data"]["stop_price"] == kept
    assert event.data["stop_price"] == Decimal(kept)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**15), max_value=10**15))
@settings(max_examples=200, deadline=None)
def test_any_decimal_comes_back_as_it_went_in(tmp_path_factory: pytest.TempPathFactory, value: Decimal) -> None:
    journal = _shared(tmp_path_factory)
    seq = journal.move_stop("T", value)
    [event] = journal.events(after=seq - 1)
    assert event.data["stop_price"] == value


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
@settings(max_examples=200, deadline=None)
def test_a_float_is_taken_as_it_is_printed(tmp_path_factory: pytest.TempPathFactory, value: float) -> None:
    journal = _shared(tmp_path_factory)
    written = Decimal(repr(value))
    try:
        seq = journal.move_stop("T", value)
    except RefusedError:
        # Finer than 28 places: never rounded.
        assert written.as_tuple().exponent < -28  # type: ignore[operator]
        return
    [event] = journal.events(after=seq - 1)
    assert event.data["stop_price"] == written


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back_or_is_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    journal = _shared(tmp_path_factory)
    try:
        seq = journal.note(text)
    except RefusedError as refused:
        assert refused.field == "data.text"
        assert "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text)
        return
    [event] = journal.events(after=seq - 1)
    assert event.data["text"] == text


_JOURNALS: "dict[int, Journal]" = {}


def _shared(factory: pytest.TempPathFactory) -> Journal:
    """One journal for all examples of a property."""
    if id(factory) not in _JOURNALS:
        _JOURNALS[id(factory)] = Journal(str(factory.mktemp("shared") / "journal"))
    return _JOURNALS[id(factory)]


def test_numbers_of_numpy_are_numbers(journal: Journal) -> None:
    numpy = pytest.importorskip("numpy")
    journal.move_stop("T", numpy.float32(0.1))
    journal.move_stop("T", numpy.int64(5))
    journal.move_stop("T", numpy.float64(0.25))
    assert [event.data["stop_price"] for event in journal.events()] == [Decimal("0.1"), Decimal(5), Decimal("0.25")]


def test_what_is_malformed_is_refused_with_line_and_field_and_nothing_of_its_batch_recorded(journal: Journal) -> None:
    good = {"type": "NoteAdded", "occurred_at": at(0), "data": {"text": "a"}}
    bad = {"type": "NoteAdded", "occurred_at": at(0), "data": {"text": "a", "tagz": []}}
    with pytest.raises(RefusedError, match="did you mean `tags`") as refused:
        journal.append_many([good, bad])
    assert (refused.value.line, refused.value.field) == (2, "data.tagz")
    with pytest.raises(RefusedError) as refused:
        journal.append_many([good, good, {**good, "data": {"text": object()}}])
    assert (refused.value.line, refused.value.field) == (3, "data.text")
    for value in (float("nan"), float("inf"), Decimal("NaN"), True, "12,5", [1]):
        with pytest.raises(RefusedError) as refused:
            journal.move_stop("T", value)  # type: ignore[arg-type]
        assert refused.value.field == "data.stop_price"
    assert journal.head == 0


def test_a_naive_time_is_refused_with_what_to_do_about_it(journal: Journal) -> None:
    with pytest.raises(RefusedError, match=r"no time zone.*datetime\.now\(timezone\.utc\)") as refused:
        journal.note("x", occurred_at=dt.datetime(2026, 3, 2, 14, 31))
    assert refused.value.field == "occurred_at"
    with pytest.raises(RefusedError) as refused:
        journal.append({"type": "BarClosed", "occurred_at": at(0), "data": {"timestamp": dt.datetime(2026, 3, 2)}})
    assert refused.value.field == "data.timestamp"
    chicago = dt.datetime(2026, 3, 2, 8, 31, 7, 250_000, tzinfo=ZoneInfo("America/Chicago"))
    journal.note("x", occurred_at=chicago)
    assert next(journal.events()).occurred_at == dt.datetime(2026, 3, 2, 14, 31, 7, 250_000, tzinfo=dt.timezone.utc)


def test_a_mistyped_argument_is_named(journal: Journal) -> None:
    with pytest.raises(TypeError, match="did you mean fees"):
        journal.fill("T", side="buy", quantity=1, price=1, symbol="ES", feez=1)  # type: ignore[call-arg]


def test_the_same_id_is_recorded_once(journal: Journal) -> None:
    event_id = new_id()
    first = journal.note("once", id=event_id)
    # Without a time the id's own is taken, so that the retry says the same.
    assert journal.note("once", id=event_id) == first
    with pytest.raises(ConflictError) as conflict:
        journal.note("twice", id=event_id)
    found = conflict.value
    assert (found.line, found.field, found.position, found.id) == (1, "data.text", 1, event_id)
    receipt = journal.append_many(
        [
            {"type": "NoteAdded", "id": event_id, "occurred_at": next(journal.events()).occurred_at, "data": {"text": "once"}},
            {"type": "NoteAdded", "occurred_at": at(0), "data": {"text": "new"}},
        ]
    )
    assert (receipt.positions, receipt.duplicates, receipt.appended) == ((1, 2), frozenset({1}), 1)
    assert (receipt.head, receipt.head_hash) == (journal.head, journal.head_hash)


def test_an_expected_version_that_is_no_more_is_refused(journal: Journal) -> None:
    journal.note("x")
    assert journal.version("account/default") == 1
    journal.note("y", expected_version=1)
    with pytest.raises(VersionMismatchError) as mismatch:
        journal.note("z", expected_version=1)
    assert (mismatch.value.stream, mismatch.value.expected, mismatch.value.actual) == ("account/default", 1, 2)


def test_a_ticket_is_answered_later(journal: Journal) -> None:
    tickets = [journal.later.note(str(number)) for number in range(100)]
    assert [ticket.wait() for ticket in tickets] == list(range(1, 101))
    assert all(ticket.done() for ticket in tickets)
    ticket = journal.note("x", sync=False)
    assert ticket.receipt().positions == (101,)  # type: ignore[attr-defined]
    with pytest.raises(RefusedError):
        journal.later.rate_mental_state(9)
    conflict = journal.later.note("other", id=str(next(journal.events()).id))
    for _ in range(2):
        with pytest.raises(ConflictError):
            conflict.wait()


def test_threads_append_at_once_and_lose_nothing(journal: Journal) -> None:
    positions: "list[int]" = []

    def work(name: int) -> None:
        for number in range(50):
            positions.append(journal.note(f"{name} {number}"))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(positions) == list(range(1, 201))
    assert len(journal.notes().to_list()) == 200


def test_one_records_and_others_read(folder: str) -> None:
    with pytest.raises(NoJournalError):
        Journal(folder, read_only=True)
    with pytest.raises(NoJournalError):
        Journal(folder, create=False)
    with Journal(folder) as j:
        a_trade(j)
        with pytest.raises(BusyError, match="which is this one") as busy:
            Journal(folder, lock_wait=0.05)
        assert busy.value.pid is not None
        with Journal(folder, read_only=True) as reader:
            assert reader.trade("T-1") == j.trade("T-1")
            with pytest.raises(ReadOnlyError):
                reader.note("x")
    with Journal(folder, read_only=True) as reader:
        assert reader.head == 3


def test_what_was_handed_over_is_answered_when_the_journal_is_closed(folder: str) -> None:
    with Journal(folder) as j:
        tickets = [j.later.note("x") for _ in range(500)]
    assert [ticket.wait(0) for ticket in tickets] == list(range(1, 501))
    j.close()
    assert j.closed
    for ask in (lambda: j.note("x"), lambda: j.trades().to_list(), lambda: j.head, lambda: list(j.events())):
        with pytest.raises(ClosedError):
            ask()
