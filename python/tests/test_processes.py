"""Other processes: a forked child, a second one that records, and those that die in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from tradefold import BusyError, Journal


def run(code: str, *args: str) -> "subprocess.Popen[str]":
    """A Python of its own."""
    # Not from here, where the package's own sources lie.
    command = [sys.executable, "-c", textwrap.dedent(code), *args]
    return subprocess.Popen(command, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_forked_child_is_told_and_leaves_the_journal_alone(folder: str) -> None:
    code = """
        import os, sys, tradefold
        j = tradefold.Journal(sys.argv[1])
        ticket, rows, events = j.later.note("t"), iter(j.notes()), j.events()
        j.note("before")
        pid = os.fork()
        if pid == 0:
            for ask in (lambda: j.note("x"), lambda: j.trades().to_list(), ticket.wait, lambda: next(events),
                        lambda: j.later.note("x"), lambda: j.wait(1), j.close,
                        lambda: tradefold.Journal(sys.argv[1], read_only=True),
                        lambda: tradefold.Journal(sys.argv[1] + "-2")):
                try:
                    ask()
                    os._exit(1)
                except tradefold.ForkedError as error:
                    assert error.pid == os.getppid(), error
            del j, ticket, rows, events
            sys.exit(0)  # with all that an interpreter does at its end
        assert os.waitpid(pid, 0)[1] == 0
        assert ticket.wait() == 1 and j.note("after") == 3
        print(len(j.notes().to_list()))
    """
    process = run(code, folder)
    out, _ = process.communicate()
    assert (process.returncode, out) == (0, "3\n")


def test_a_child_of_a_process_that_has_closed_its_journal_may_open_one(folder: str) -> None:
    code = """
        import os, sys, tradefold
        with tradefold.Journal(sys.argv[1]) as j:
            j.note("parent")
        if os.fork() == 0:
            with tradefold.Journal(sys.argv[1]) as j:
                os._exit(j.note("child"))
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 2
        with tradefold.Journal(sys.argv[1]) as j:
            print([note["text"] for note in j.notes()])
    """
    out, _ = run(code, folder).communicate()
    assert out == "['parent', 'child']\n"


def test_a_child_that_outlives_its_parent_does_not_hold_the_journal(folder: str) -> None:
    code = """
        import os, sys, time, tradefold
        j = tradefold.Journal(sys.argv[1])
        j.note("x")
        if os.fork() == 0:
            os.close(1)
            sys.stdin.read()
            os._exit(0)
        os._exit(9)
    """
    process = run(code, folder)
    process.wait()
    with Journal(folder, lock_wait=1) as j:
        assert j.note("y") == 2
    assert process.stdin is not None
    process.stdin.close()


def test_a_second_process_is_told_who_records(folder: str) -> None:
    with Journal(folder) as j:
        j.note("x")
        code = """
            import sys, tradefold
            try:
                tradefold.Journal(sys.argv[1], lock_wait=0.1)
            except tradefold.BusyError as error:
                print(error.pid)
            with tradefold.Journal(sys.argv[1], read_only=True) as reader:
                print(reader.notes().first()["text"])
        """
        out, _ = run(code, folder).communicate()
        assert out.split() == [str(os.getpid()), "x"]


@pytest.mark.parametrize("death", ["os._exit", "SIGKILL"])
@pytest.mark.parametrize("call", ["note", "later.note"])
def test_nothing_that_was_answered_is_lost_when_the_process_dies(folder: str, death: str, call: str) -> None:
    """Dies at another moment each time; every text whose position was printed stands there afterwards."""
    code = """
        import os, sys, threading, time, tradefold
        j = tradefold.Journal(sys.argv[1])
        if sys.argv[2] == "os._exit":
            threading.Timer(float(sys.argv[3]), lambda: os._exit(9)).start()
        def work(name):
            number = 0
            while True:
                text = f"{os.getpid()} {name} {number}"
                answer = j.note(text) if sys.argv[4] == "note" else j.later.note(text).wait()
                os.write(1, f"{answer} {text}\\n".encode())
                number += 1
        for name in range(3):
            threading.Thread(target=work, args=(name,), daemon=True).start()
        time.sleep(60)
    """
    acknowledged: "dict[int, str]" = {}
    for turn in range(4):
        process = run(code, folder, death, str(0.05 + 0.04 * turn), call)
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        if death == "SIGKILL":
            time.sleep(0.05 + 0.04 * turn)
            process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        process.wait()
        # A process may die before its first answer.
        for line in filter(None, lines):
            position, text = line.rstrip("\n").split(" ", 1)
            acknowledged[int(position)] = text
    assert len(acknowledged) > 8
    with Journal(folder) as j:
        recorded = {event.seq: event.data["text"] for event in j.events()}
        assert list(recorded) == list(range(1, len(recorded) + 1))
        assert {position: recorded[position] for position in acknowledged} == acknowledged
        j.wait(j.head)
        assert len(j.notes().to_list()) == len(recorded)


def test_a_journal_comes_free_when_its_process_is_killed(folder: str) -> None:
    code = """
        import sys, tradefold
        j = tradefold.Journal(sys.argv[1])
        print(j.note("x"), flush=True)
        sys.stdin.read()
    """
    process = run(code, folder)
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(BusyError):
        Journal(folder, lock_wait=0)
    process.kill()
    process.wait()
    with Journal(folder) as j:
        assert j.note("y") == 2
