"""Owns speaking to the service: requests, their retries, and its answers as values or exceptions."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Optional, Union

from .errors import (
    BusyError,
    ConflictError,
    DamagedError,
    LagError,
    QuestionError,
    RefusedError,
    RemoteError,
    StorageError,
    TradefoldError,
    UnknownOutcomeError,
    VersionMismatchError,
)
from .receipt import Receipt, receipt_of

if TYPE_CHECKING:
    import httpx

# The longest pause between two attempts.
_PAUSE_MAX = 2.0

# Answers after which the same request may be answered otherwise.
_NOT_NOW = (429, 502, 503, 504)


class Service:
    """The service at an address. Its connections may be used by any thread."""

    def __init__(
        self, url: str, token: Optional[str], timeout: float, retries: int, http: "Optional[httpx.Client]"
    ) -> None:
        import httpx

        self.url = url.rstrip("/")
        self.token = token
        self.timeout = timeout
        self._retries = retries
        self._http = httpx.Client(timeout=timeout) if http is None else http
        self._owns = http is None
        self._lost = httpx.TransportError
        # Requests that cannot be made at all.
        self._hopeless = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)
        # What never left: nothing can have been recorded.
        self._unsent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
        #: The highest position that was answered as recorded: what is read has it.
        self.recorded = 0

    def close(self) -> None:
        """Closes the connections."""
        if self._owns:
            self._http.close()

    def headers(self) -> "dict[str, str]":
        """Who asks."""
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}

    def append(self, lines: "list[str]", events: "list[dict[str, Any]]") -> Receipt:
        """Records lines as one batch, sent again under the same ids until there is an answer."""
        body = "\n".join(lines).encode()
        headers = {**self.headers(), "Content-Type": "application/x-ndjson"}
        unknown, last = False, "there was no answer"
        for response in self._answers(
            lambda: self._http.post(f"{self.url}/api/v1/events", content=body, headers=headers)
        ):
            if isinstance(response, Exception):
                unknown = unknown or not isinstance(response, self._unsent)
                last = _lost(response)
                continue
            if response.status_code in (200, 201):
                return self._receipt(response.json())
            problem = _problem(response)
            if response.status_code not in _NOT_NOW:
                _refuse(response.status_code, problem)
            unknown = unknown or problem.get("outcome") != "nothing recorded" and response.status_code != 429
            last = str(problem.get("detail", response.status_code))
        if unknown:
            error = UnknownOutcomeError(f"nobody knows whether the batch was recorded, append it again: {last}")
            error.events = events
            raise error
        raise RemoteError(f"nothing was recorded: {last}")

    def _receipt(self, answer: "dict[str, Any]") -> Receipt:
        told = [(event["seq"], event["outcome"] == "duplicate") for event in answer["events"]]
        receipt = receipt_of((told, answer["head"]["seq"], answer["head"]["hash"]))
        self.recorded = max(self.recorded, receipt.position)
        return receipt

    def get(self, path: str, params: "Mapping[str, Any] | list[tuple[str, str]]") -> Any:
        """What a route answers. What only reads may be asked again."""
        given = params if isinstance(params, list) else params.items()
        pairs: "list[tuple[str, str | int | float | bool | None]]" = [(k, str(v)) for k, v in given if v is not None]
        headers = {**self.headers(), **({"X-Wait-For": str(self.recorded)} if self.recorded else {})}
        error: TradefoldError = RemoteError("there was no answer")
        for response in self._answers(
            lambda: self._http.get(f"{self.url}/api/v1/{path}", params=pairs, headers=headers)
        ):
            if isinstance(response, Exception):
                error = RemoteError(_lost(response))
                continue
            if response.status_code == 200:
                return json.loads(response.content)
            problem = _problem(response)
            if response.status_code not in _NOT_NOW:
                _refuse(response.status_code, problem)
            kind = LagError if response.status_code == 504 or "tables" in str(problem.get("type")) else RemoteError
            error = kind(str(problem.get("detail", response.status_code)), status=response.status_code)
        raise error

    def _answers(self, send: "Callable[[], httpx.Response]") -> "Iterator[Union[httpx.Response, Exception]]":
        """What came of each attempt, an answer or a connection that was lost, for as long as the caller asks for another."""
        for attempt in range(self._retries + 1):
            if attempt:
                _pause(attempt)
            try:
                yield send()
            except self._hopeless as wrong:
                raise RemoteError(f"the request cannot be made, nothing was sent: {wrong}") from wrong
            except self._lost as lost:
                yield lost

    def pages(self, table: str, params: "list[tuple[str, str]]") -> "Iterator[dict[str, Any]]":
        """A table's rows, page after page."""
        after: "list[tuple[str, str]]" = []
        while True:
            answer = self.get(table, params + after)
            yield from answer["rows"]
            if answer["next"] is None:
                return
            after = [("after", answer["next"])]

    def wait(self, position: int, timeout: Optional[float]) -> None:
        """Waits until a position is in every table."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            params = {"limit": "1", "wait_for": str(position)}
            response = self._http.get(f"{self.url}/api/v1/accounts", params=params, headers=self.headers())
            if response.status_code == 200:
                return
            problem = _problem(response)
            if response.status_code == 400:
                # Nobody has recorded it: there is nothing to wait for.
                raise LagError(str(problem.get("detail")), position=None)
            if response.status_code not in (503, 504):
                _refuse(response.status_code, problem)
            if deadline is not None and time.monotonic() >= deadline:
                raise LagError(str(problem.get("detail")), position=None)
            if response.status_code == 503:
                time.sleep(0.1)


def _pause(attempt: int) -> None:
    """Longer each time, and never quite the same for two who were sent away together."""
    time.sleep(min(_PAUSE_MAX, 0.05 * 2**attempt) * random.uniform(0.5, 1.0))


def _lost(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _problem(response: "httpx.Response") -> "dict[str, Any]":
    try:
        told = response.json()
    except ValueError:
        return {"detail": response.text[:200]}
    return told if isinstance(told, dict) else {"detail": str(told)}


def _refuse(status: int, problem: "dict[str, Any]") -> NoReturn:
    """The exception that an answer stands for."""
    kind = str(problem.get("type", "")).rpartition("#")[2]
    detail = str(problem.get("detail", f"the service answered {status}"))
    line = int(problem.get("index", 0)) + 1
    if kind == "refused":
        first = (problem.get("errors") or [{}])[0]
        field, message = first.get("field"), first.get("message", detail)
        said = message if field is None else f"{field}: {message}"
        raise RefusedError(said, line=int(first.get("index", 0)) + 1, field=field)
    if kind == "conflict":
        raise ConflictError(
            detail, line=line, field=problem.get("field"), position=problem.get("seq"), id=problem.get("id")
        )
    if kind == "version-mismatch":
        facts = {name: problem.get(name) for name in ("stream", "expected", "actual")}
        raise VersionMismatchError(detail, line=line, **facts)
    if kind == "damaged":
        raise DamagedError(detail)
    if kind in ("busy", "queue-full"):
        raise BusyError(detail)
    if kind == "not-recorded":
        raise StorageError(detail)
    if status in (400, 404, 410, 422) and kind in ("bad-request", "not-found", "too-slow"):
        raise QuestionError(detail)
    raise RemoteError(detail, status=status)
