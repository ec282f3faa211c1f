"""The command that the package brings: the program itself."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from tradefold import Journal

COMMAND = str(Path(sys.executable).with_name("tradefold"))


def run(*arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run([COMMAND, *arguments], input=given, capture_output=True, text=True)


def test_it_is_the_whole_program(folder: str) -> None:
    event = {"type": "NoteAdded", "occurred_at": "2026-03-02T14:30:00Z", "data": {"text": "by the command"}}
    told = run("--journal", folder, "append", "--json", given=json.dumps(event) + "\n")
    assert (told.returncode, json.loads(told.stdout)["appended"]) == (0, 1)
    with Journal(folder) as journal:
        assert [row["text"] for row in journal.notes()] == ["by the command"]
    assert run("--journal", folder, "verify").returncode == 0
    told = run("--journal", folder, "export", "nothing")
    assert (told.returncode, told.stdout) == (2, "")
    assert "nothing" in told.stderr


def test_help_names_what_python_adds() -> None:
    told = run("--help")
    assert told.returncode == 0
    assert "reconcile" in told.stdout and "migrate-sqlite" in told.stdout
    # Not in what programs read.
    assert run("--version").stdout.split()[0] == "tradefold"
    assert "migrate-sqlite" not in run("--version").stdout
    assert run("migrate-sqlite", "--help").stdout.startswith("usage: tradefold migrate-sqlite")


def test_ctrl_c_ends_what_waits(journal: Journal, folder: str) -> None:
    journal.note("something to follow")
    waiting = subprocess.Popen([COMMAND, "--journal", folder, "tail", "--follow", "--json"], stdout=subprocess.PIPE, text=True)
    assert waiting.stdout is not None
    assert json.loads(waiting.stdout.readline())["type"] == "NoteAdded"
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(20) in (0, -signal.SIGINT, 130)
    waiting.stdout.close()
