"""Makes a random stream of journal events from a seed, in the edge form, weighted to look like trading.

Owns the weights. `--tame` leaves out corrections, late events and anomalies; `--odd` adds contradictions on which the
rules say little; `--retries` repeats some lines whole, as a client that never got its answer would.

    python3 generate.py --seed 1 --events 500 > events.jsonl
"""

import argparse
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import acts
import surprises as ill
from world import ACCOUNTS, INSTRUMENTS, ODD_ACCOUNT, ODD_ACCOUNT_DATA, World

ORDINARY = {
    acts.open_trade: 22, acts.raw_fill: 10, acts.raw_close: 12, acts.scale_in: 5, acts.scale_out: 10,
    acts.exit_by_fill: 14, acts.exit_by_word: 14, acts.move_stop: 6, acts.move_target: 3, acts.mark_excursion: 4,
    acts.close_bar: 12, acts.break_rule: 4, acts.rate_mood: 4, acts.add_note: 3, acts.change_state: 4,
    acts.set_risk: 2, acts.move_cash: 2, acts.define_instrument: 1,
}
SURPRISING = {
    ill.fill_unknown_trade: 2, ill.fill_finished_trade: 3, ill.overfill: 2, ill.repeat_fill: 1,
    ill.open_again: 2, ill.exit_finished_trade: 2, ill.name_nobody: 2, ill.use_ghost: 1,
    ill.open_late_account: 2,
}
CORRECTING = {
    ill.correct_fill: 5, ill.bust_fill: 2, ill.amend_trade: 4, ill.void_trade: 1,
    ill.reassign_fills: 2,
}
CONTRADICTORY = {ill.contradict: 8}


def generate(seed, count, tame=False, odd=False):
    """A list of events in the edge form, at least `count` long where acts of several events end it."""
    world = World(seed, tame, odd)
    begin(world)
    weights = dict(ORDINARY)
    if not tame:
        weights |= SURPRISING | CORRECTING
    if odd:
        weights |= CONTRADICTORY
    while len(world.lines) < count:
        world.advance()
        act = world.rng.choices(list(weights), list(weights.values()))[0]
        act(world)
    return world.lines


def begin(world):
    """Opens the accounts and defines the instruments; trading starts a little later."""
    accounts = ACCOUNTS | ({ODD_ACCOUNT: ODD_ACCOUNT_DATA} if world.odd else {})
    for account, data in accounts.items():
        world.emit("AccountOpened", {"account_id": account} | data)
    for symbol, (tick, point_value, _) in INSTRUMENTS.items():
        world.emit("InstrumentDefined", {
            "symbol": symbol, "tick_size": world.spell(tick), "point_value": world.spell(point_value),
        })


def with_retries(lines, rng):
    """Each line, some of them once more a few lines on."""
    pending, out = [], []
    for line in lines:
        out.append(line)
        if rng.random() < 0.05:
            pending.append(line)
        if pending and rng.random() < 0.3:
            out.append(pending.pop(0))
    return out + pending


def main():
    parser = argparse.ArgumentParser(description="Makes a random stream of journal events.")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--events", type=int, default=500)
    parser.add_argument("--tame", action="store_true", help="no corrections, late events or anomalies")
    parser.add_argument("--odd", action="store_true", help="with contradictions on which the rules say little")
    parser.add_argument("--retries", action="store_true", help="repeats some lines whole")
    options = parser.parse_args()
    lines = generate(options.seed, options.events, options.tame, options.odd)
    if options.retries:
        lines = with_retries(lines, random.Random(options.seed))
    for line in lines:
        print(json.dumps(line, ensure_ascii=False))


if __name__ == "__main__":
    main()
