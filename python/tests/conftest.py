"""What tests share: a journal in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tradefold import Journal


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "journal")


@pytest.fixture
def journal(folder: str) -> Iterator[Journal]:
    with Journal(folder) as opened:
        yield opened
