"""The examples run, and say what the journal says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tradefold import Journal

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name: str, *arguments: str) -> str:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=True).stdout


def test_the_orchestrator_trades_and_the_analysis_reads_it(folder: str, tmp_path: Path) -> None:
    told = run("orchestrator.py", folder)
    with Journal(folder) as j:
        assert f"at position {j.head}" in told
        assert f"{len(j.trades(status='closed').to_list())} trades" in told
        assert j.anomalies().to_list() == []
        assert j.verify()["ok"]
    pytest.importorskip("matplotlib")
    assert "trades on" in run("analysis.py", folder, str(tmp_path / "plots.png"))
    assert (tmp_path / "plots.png").stat().st_size > 10_000


def test_the_streamlit_page_shows_the_journal(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    testing = pytest.importorskip("streamlit.testing.v1")
    run("orchestrator.py", folder)
    monkeypatch.setattr(sys, "argv", ["dashboard.py", folder])
    page = testing.AppTest.from_file(str(EXAMPLES / "dashboard.py"), default_timeout=60).run()
    assert not page.exception
    assert [metric.label for metric in page.metric] == ["Trades", "Won", "Mean R", "Drawdown R"]
