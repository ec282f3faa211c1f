"""tradefold: a trading journal that never forgets and never rewrites.

Every fill, exit, rule break and state change is appended to an immutable, hash-chained log; the tables one looks at
follow from it.

    from tradefold import Journal

    with Journal("./journal") as j:
        j.open_trade("T-1042", symbol="MESH6", side="long", strategy="vwap-pullback", stop_price="5706.50")
        j.fill("T-1042", side="buy", quantity=2, price="5712.25", fees="0.70")
        j.exit("T-1042", reason="target", price="5724.00", fees="0.70")
        j.trade("T-1042")["pl_amount_net"]
"""

from ._lines import new_id
from .aio import AsyncClient, AsyncJournal
from .client import Client
from .errors import (
    BusyError,
    ClosedError,
    ConflictError,
    DamagedError,
    ForkedError,
    LagError,
    NoJournalError,
    QuestionError,
    ReadOnlyError,
    RefusedError,
    RemoteError,
    StorageError,
    TradefoldError,
    UnknownOutcomeError,
    VersionMismatchError,
)
from .events import Event
from .journal import Journal
from .projection import Projection
from .receipt import Receipt, Ticket
from .rows import Rows
from .state import State

__all__ = [
    "AsyncClient",
    "AsyncJournal",
    "BusyError",
    "Client",
    "ClosedError",
    "ConflictError",
    "DamagedError",
    "Event",
    "ForkedError",
    "Journal",
    "LagError",
    "NoJournalError",
    "Projection",
    "QuestionError",
    "ReadOnlyError",
    "Receipt",
    "RefusedError",
    "RemoteError",
    "Rows",
    "State",
    "StorageError",
    "Ticket",
    "TradefoldError",
    "UnknownOutcomeError",
    "VersionMismatchError",
    "new_id",
]
