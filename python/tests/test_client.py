"""A journal behind its service: the same calls, the same exceptions, and nothing doubled when answers are lost."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from journals import a_trade, at, mesh

from tradefold import (
    Client,
    ConflictError,
    Journal,
    LagError,
    QuestionError,
    RefusedError,
    RemoteError,
    UnknownOutcomeError,
    VersionMismatchError,
    new_id,
)

PROGRAM = os.environ.get("TRADEFOLD") or shutil.which("tradefold")

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no tradefold program: TRADEFOLD names one")


class Served:
    """A journal that is served, by a process of its own."""

    def __init__(self, folder: str, port: int = 0, *, again: bool = False) -> None:
        command = [str(PROGRAM), "--journal", folder, "serve", "--listen", f"127.0.0.1:{port}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.token, self.url = "", ""
        assert self.process.stdout is not None
        # The token is shown on the first start alone.
        while not self.url or not (self.token or again):
            line = self.process.stdout.readline()
            assert line, "the service ended"
            self.token = (re.search(r"tf_[\w-]+", line) or [self.token])[0]
            self.url = (re.search(r"http://[\d.]+:\d+", line) or [self.url])[0]
        self.port = int(self.url.rsplit(":", 1)[1])

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


@pytest.fixture
def served(folder: str) -> Iterator[Served]:
    Journal(folder).close()
    service = Served(folder)
    yield service
    service.stop()


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with Client(served.url, served.token) as opened:
        yield opened


def test_the_same_calls_give_the_same_answers(client: Client, tmp_path: Path) -> None:
    with Journal(tmp_path / "here") as here:
        for j in (here, client):
            mesh(j)  # type: ignore[arg-type]
            assert a_trade(j) == 4  # type: ignore[arg-type]
            j.open_trade("T-2", symbol="MESH6", side="short", strategy="orb", occurred_at=at(10))
            j.fill("T-2", side="sell", quantity=1, price=5700, fill_id="F", occurred_at=at(10))
            j.change_state("ACTIVE", occurred_at=at(11))
            j.set_risk("max", 4, occurred_at=at(11))
            j.wait(j.head)
        assert client.trade("T-1") == here.trade("T-1")
        assert client.trades(strategy="orb").to_list() == here.trades(strategy="orb").to_list()
        assert client.trades(timestamp_exit=None).to_list() == here.trades(timestamp_exit=None).to_list()
        assert client.daily_pnl().to_dict() == here.daily_pnl().to_dict()
        assert client.metrics(by="strategy") == here.metrics(by="strategy")
        assert client.metrics(from_="2026-03-02", to="2026-03-02") == here.metrics(from_="2026-03-02", to="2026-03-02")
        assert client.metrics(to="1999-01-01") == []
        assert client.as_of(4).trades().to_list() == here.as_of(4).trades().to_list()
        state, expected = client.state(), here.state()
        assert (state.position, state.open_trades, state.risk) == (expected.position, expected.open_trades, expected.risk)
        assert state.last_state == expected.last_state
        assert [step["type"] for step in client.audit("T-1")] == [step["type"] for step in here.audit("T-1")]
        assert [event.data for event in client.events()] == [
            {**event.data, **({"fill_id": str(there.id)} if event.seq == 3 else {})}
            for event, there in zip(here.events(), client.events())
        ]


def test_the_same_exceptions(client: Client) -> None:
    event_id = new_id()
    client.note("once", id=event_id)
    assert client.note("once", id=event_id) == 1
    with pytest.raises(ConflictError) as conflict:
        client.note("twice", id=event_id)
    assert (conflict.value.field, conflict.value.position, conflict.value.id) == ("data.text", 1, event_id)
    with pytest.raises(VersionMismatchError) as mismatch:
        client.note("x", expected_version=7)
    assert (mismatch.value.expected, mismatch.value.actual) == (7, 1)
    good = {"type": "NoteAdded", "occurred_at": at(0), "data": {"text": "a"}}
    with pytest.raises(RefusedError, match="did you mean `text`") as refused:
        client.append_many([good, {**good, "data": {"txt": "a"}}])
    assert (refused.value.line, refused.value.field) == (2, "data.txt")
    with pytest.raises(QuestionError):
        client.trades(columns=["nothing"]).to_list()
    with pytest.raises(QuestionError, match="no table"):
        client.table("nothing")
    with pytest.raises(LagError):
        client.wait(1_000, timeout=0.1)


def test_what_is_done_where_the_files_are_says_so(client: Client) -> None:
    with pytest.raises(AttributeError, match="where the journal is"):
        client.sql("SELECT 1")  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        client.nothing()  # type: ignore[attr-defined]


def test_without_a_token_nothing_is_answered(served: Served) -> None:
    with Client(served.url) as client, pytest.raises(RemoteError) as refused:
        client.note("x")
    assert refused.value.status == 401


class Lossy(httpx.BaseTransport):
    """Delivers every request, and loses every answer to an append until so many were lost."""

    def __init__(self, losses: int) -> None:
        self.inner, self.left = httpx.HTTPTransport(), losses

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.inner.handle_request(request)
        if request.method == "POST" and self.left > 0:
            self.left -= 1
            response.close()
            raise httpx.ReadError("the answer was lost", request=request)
        return response


def test_lost_answers_double_nothing(served: Served) -> None:
    with Client(served.url, served.token, http=httpx.Client(transport=Lossy(3))) as client:
        assert client.note("x") == 1
        assert client.note("y") == 2
        assert len(client.notes().to_list()) == 2
    with Client(served.url, served.token, retries=1, http=httpx.Client(transport=Lossy(2))) as client:
        with pytest.raises(UnknownOutcomeError) as unknown:
            client.note("z")
        # Nobody told, but the events know.
        receipt = client.append_many(unknown.value.events)
        assert (receipt.positions, receipt.appended) == ((3,), 0)
        assert client.head == 3


def test_a_service_that_comes_back_is_waited_for(folder: str) -> None:
    Journal(folder).close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    first = Served(folder, port)
    with Client(first.url, first.token, retries=12) as client:
        events = client.follow(0, timeout=30)
        client.note("before")
        assert next(events).seq == 1
        first.stop()
        again: "list[Served]" = []
        timer = threading.Timer(0.5, lambda: again.append(Served(folder, port, again=True)))
        timer.start()
        assert client.note("after") == 2
        # The stream broke, and goes on where it was.
        assert next(events).data["text"] == "after"
        timer.join()
        again[0].stop()
    with Client(f"http://127.0.0.1:{port}", first.token, retries=1) as client:
        with pytest.raises(RemoteError, match="nothing was recorded"):
            client.note("nobody there")


def test_tickets_are_answered_in_order(client: Client) -> None:
    tickets = [client.later.note(str(number)) for number in range(30)]
    assert [ticket.wait(30) for ticket in tickets] == list(range(1, 31))
    assert client.note("x", sync=False).wait() == 31  # type: ignore[attr-defined]
    assert [event.seq for event in client.follow(29, timeout=0.5)] == [30, 31]
    assert client.fold(lambda count, _: count + 1, 0) == 31
