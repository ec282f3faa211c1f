"""Owns following the log of a service: a WebSocket, resumed from the last position whenever it breaks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

from ._http import Service
from .errors import QuestionError, RemoteError
from .events import Event

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

# Close codes after which the same again is refused again.
_FINAL = {4400: QuestionError, 4401: RemoteError, 4410: QuestionError}

# Pauses between attempts to connect.
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)


def followed(
    service: Service,
    after: int,
    types: "Union[str, Sequence[str], None]",
    end: Optional[int],
    timeout: Optional[float],
) -> "Iterator[Event]":
    """Events after a position; until ``end``, where it is given, or until none has come for ``timeout`` seconds."""
    place = _Place(after, time.monotonic())
    failures = 0
    while end is None or place.position < end:
        before = place.position
        try:
            yield from _connected(service, place, types, end, timeout)
            return
        except _Broken as broken:
            failures = 0 if place.position > before else failures + 1
            if failures > len(_PAUSES):
                raise RemoteError(f"the stream broke again and again: {broken}") from broken
            time.sleep(_PAUSES[max(failures, 1) - 1])


class _Broken(Exception):
    """The connection ended otherwise than by us."""


class _Place:
    """How far one is, and when one last got on."""

    def __init__(self, position: int, moved: float) -> None:
        self.position = position
        self.moved = moved


def _connected(
    service: Service,
    place: _Place,
    types: "Union[str, Sequence[str], None]",
    end: Optional[int],
    timeout: Optional[float],
) -> "Iterator[Event]":
    from websockets.exceptions import ConnectionClosed, WebSocketException
    from websockets.sync.client import connect

    url = service.url.replace("http", "ws", 1) + "/api/v1/stream"
    try:
        socket = connect(url, additional_headers=service.headers(), open_timeout=service.timeout, max_size=None)
    except (OSError, WebSocketException) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status is not None and status not in (429, 502, 503, 504):
            raise RemoteError(f"the service answered {status}", status=status) from error
        raise _Broken(str(error)) from error
    with socket:
        ask: "dict[str, Any]" = {"subscribe": "events", "after": place.position}
        if types is not None:
            ask["types"] = [types] if isinstance(types, str) else list(types)
        try:
            socket.send(json.dumps(ask))
            yield from _read(socket, place, end, timeout)
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd is not None else None
            reason = closed.rcvd.reason if closed.rcvd is not None else str(closed)
            if code in _FINAL:
                raise _FINAL[code](reason) from closed
            raise _Broken(reason) from closed


def _read(socket: "ClientConnection", place: _Place, end: Optional[int], timeout: Optional[float]) -> "Iterator[Event]":
    while end is None or place.position < end:
        left = None if timeout is None else timeout - (time.monotonic() - place.moved)
        if left is not None and left <= 0:
            return
        try:
            text = socket.recv(timeout=left)
        except TimeoutError:
            return
        told = json.loads(text)
        if "event" in told:
            if end is not None and told["event"]["seq"] > end:
                return
            # The event as it was sent, digit by digit.
            event = Event.parse(text[len('{"event":') : -1] if isinstance(text, str) else json.dumps(told["event"]))
            place.position, place.moved = event.seq, time.monotonic()
            yield event
        elif told.get("subscription") == "events":
            place.position = max(place.position, told["position"])
