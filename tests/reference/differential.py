"""Holds the program against the reference fold: random streams through both, then every table compared.

Owns the seeds. A stream goes through `append` into a new journal and comes out of `export all`; compare.py folds the
same lines in its own way. What differs is printed and its folder kept.

    python3 differential.py target/debug/tradefold --seeds 40 --events 500
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from generate import generate, with_retries

HERE = Path(__file__).parent
TIMEOUT = 300


def main():
    parser = argparse.ArgumentParser(description="Folds random streams with the program and with the reference.")
    parser.add_argument("program", type=Path)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=12, help="streams with corrections, late events and anomalies")
    parser.add_argument("--tame", type=int, default=4, help="streams without")
    parser.add_argument("--odd", type=int, default=0, help="streams with contradictions as well")
    parser.add_argument("--events", type=int, default=250)
    parser.add_argument("--batch", type=int, default=97, help="events in a batch, so that folds are cut")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    if not options.program.exists():
        sys.exit(f"{options.program} is not there: build it first")
    streams = [("wild", seed) for seed in range(options.first, options.first + options.seeds)]
    streams += [("tame", seed) for seed in range(options.first, options.first + options.tame)]
    streams += [("odd", seed) for seed in range(options.first, options.first + options.odd)]
    with ThreadPoolExecutor(options.jobs) as pool:
        failures = [failure for failure in pool.map(lambda stream: hold(stream, options), streams) if failure]
    for failure in failures:
        print(failure)
    print(f"{len(streams) - len(failures)} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


def hold(stream, options):
    """Nothing where both agree, else what differs and where to find it."""
    kind, seed = stream
    folder = Path(tempfile.mkdtemp(prefix=f"tradefold-{kind}-{seed}-"))
    lines = generate(seed, options.events, tame=kind == "tame", odd=kind == "odd")
    lines = with_retries(lines, random.Random(seed))
    events, tables = folder / "events.jsonl", folder / "tables"
    events.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    for command in [*commands(options, folder, events, tables), compare(tables, events)]:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
        if done.returncode:
            shown = " ".join(map(str, command))
            return f"\n{kind} stream, seed {seed}, kept in {folder}\n$ {shown}\n{done.stdout}{done.stderr}"
    shutil.rmtree(folder)
    return None


def commands(options, folder, events, tables):
    journal = [options.program, "--journal", folder / "journal"]
    return [
        [*journal, "append", events, "--batch", str(options.batch)],
        [*journal, "export", "all", "--out", tables],
        [*journal, "verify"],
    ]


def compare(tables, events):
    return [sys.executable, HERE / "compare.py", tables, events, "--extras"]


if __name__ == "__main__":
    main()
