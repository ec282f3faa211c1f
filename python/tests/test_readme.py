"""The examples of README.md, run."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


def test_examples_print_what_they_say(folder: str) -> None:
    pytest.importorskip("pandas", reason="one of the examples makes a frame")
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    found = doctest.testfile(str(README), module_relative=False, globs={"folder": folder}, optionflags=options)
    assert found.attempted > 0 and found.failed == 0
