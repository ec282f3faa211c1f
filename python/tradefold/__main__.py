"""Owns the command ``tradefold`` that the package brings (also ``python -m tradefold``): the program, and what Python adds."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Optional

from . import _tradefold, migrate

_HELP = """
The Python package adds:
  migrate-sqlite  Bring the trades of a plain program's SQLite file in as events"""


def main(arguments: "Optional[Sequence[str]]" = None) -> int:
    """Runs a command, and returns the code to exit with."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["migrate-sqlite"]:
        return migrate.main(given[1:])
    # The program waits in its own way, which Python's handler would not interrupt.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    code = _tradefold.main(["tradefold", *given])
    if given in (["--help"], ["-h"], ["help"]):
        print(_HELP)
    return code


if __name__ == "__main__":
    sys.exit(main())
