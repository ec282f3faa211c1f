"""The orchestrator's view of `tradefold serve`: events by HTTP at a steady rate, while readers follow by WebSocket.

    python3 benches/serve/load.py target/release/tradefold [--seconds 300] [--rate 1000] [--readers 10]

Needs the package `websockets`. Each POST has the events of ten milliseconds; every reader must get every position once and in
order. Told are the milliseconds from handing an event over to its arrival at a reader, and the projections' lag as `/metrics`
has it, sampled ten times a second. Readers are a process of their own, so that they do not slow who appends.
"""

import argparse
import asyncio
import http.client
import json
import multiprocessing
import re
import subprocess
import tempfile
import threading
import time
import uuid

import websockets

BATCHES_A_SECOND = 100
SEQ = re.compile(r'"seq":(\d+)')
SENT = re.compile(r'"sent":"?([0-9.]+)')


def quantile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p))] if values else float("nan")


async def follow(url, token, expected, delays):
    """Follows until `expected` events came; fails on a gap, a repeat or a close."""
    async with websockets.connect(url, max_queue=4096, compression=None) as socket:
        await socket.send(json.dumps({"auth": token}))
        await socket.recv()
        await socket.send(json.dumps({"subscribe": "events", "after": 0}))
        last = 0
        while last < expected:
            message = await socket.recv()
            found = SEQ.search(message) if message.startswith('{"event"') else None
            if found is None:
                continue
            seq = int(found.group(1))
            assert seq == last + 1, f"after {last} came {seq}"
            last = seq
            delays.append((time.time() - float(SENT.search(message).group(1))) * 1000)


def readers(url, token, expected, count, ready, answers):
    async def all_of_them():
        each = [[] for _ in range(count)]
        tasks = [asyncio.create_task(follow(url, token, expected, delays)) for delays in each]
        await asyncio.sleep(1)
        ready.set()
        await asyncio.gather(*tasks)
        return each

    try:
        answers.put([delay for delays in asyncio.run(all_of_them()) for delay in delays])
    except Exception as error:  # told to who waits
        answers.put(repr(error))


def event(number):
    trade, step = divmod(number, 6)
    now = time.time()
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e6):06d}Z"
    name = f"T-{trade}"
    data = [
        {"trade_id": name, "symbol": "MESH6", "side": "long", "strategy": f"s{trade % 4}", "stop_price": "5700"},
        {"trade_id": name, "fill_id": f"F-{trade}-1", "symbol": "MESH6", "side": "buy", "quantity": 2, "price": "5712.25"},
        {"trade_id": name, "stop_price": "5706"},
        {"trade_id": name, "high": "5720", "low": "5709"},
        {"trade_id": name, "fill_id": f"F-{trade}-2", "symbol": "MESH6", "side": "sell", "quantity": 2, "price": str(5705 + trade % 20)},
        {"trade_id": name, "reason": "target"},
    ][step]
    kind = ["TradeOpened", "FillRecorded", "StopMoved", "ExcursionMarked", "FillRecorded", "TradeExited"][step]
    return {"type": kind, "id": str(uuid.UUID(int=(7 << 76) | (2 << 62) | number)), "occurred_at": at, "data": data, "meta": {"sent": f"{now:.6f}"}}


def watch_lag(host, token, stop, lags):
    connection = http.client.HTTPConnection(host)
    while not stop.is_set():
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})
        text = connection.getresponse().read().decode()
        found = re.findall(r"^tradefold_\w*lag_seconds\w*(?:\{[^}]*\})? ([0-9.e+-]+)$", text, re.M)
        lags.extend(float(value) * 1000 for value in found)
        stop.wait(0.1)


def append(host, token, total, rate):
    connection = http.client.HTTPConnection(host)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    size, took, began = rate // BATCHES_A_SECOND, [], time.time()
    for batch in range(total // size):
        due = began + batch / BATCHES_A_SECOND
        time.sleep(max(0.0, due - time.time()))
        body = json.dumps([event(batch * size + index) for index in range(size)])
        sent = time.time()
        connection.request("POST", "/api/v1/events", body, headers)
        answer = connection.getresponse()
        assert answer.status == 201, answer.read()
        answer.read()
        took.append((time.time() - sent) * 1000)
    return took, time.time() - began


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("program")
    arguments.add_argument("--seconds", type=int, default=300)
    arguments.add_argument("--rate", type=int, default=1000)
    arguments.add_argument("--readers", type=int, default=10)
    given = arguments.parse_args()
    total = given.seconds * given.rate
    with tempfile.TemporaryDirectory() as folder:
        journal = ["--journal", f"{folder}/journal"]
        serve = [given.program, *journal, "serve", "--listen", "127.0.0.1:0"]
        server = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = ""
        while not (found := re.search(r"http://([^/\s]+)/#token=(\S+)", said)):
            line = server.stdout.readline()
            assert line, said
            said += line
        host, token = found.groups()
        ready, answers = multiprocessing.Event(), multiprocessing.Queue()
        url = f"ws://{host}/api/v1/stream"
        following = multiprocessing.Process(target=readers, args=(url, token, total, given.readers, ready, answers))
        following.start()
        ready.wait(10)
        stop, lags = threading.Event(), []
        watching = threading.Thread(target=watch_lag, args=(host, token, stop, lags))
        watching.start()
        took, seconds = append(host, token, total, given.rate)
        delays = answers.get(timeout=60)
        stop.set()
        watching.join()
        following.join()
        server.terminate()
        server.wait(30)
        assert isinstance(delays, list), delays
        assert len(delays) == total * given.readers
        count = json.loads(subprocess.check_output([given.program, *journal, "--json", "sql", "SELECT count(*) AS n FROM trades"]))
        assert count[0]["n"] == (total + 5) // 6, count
        verified = subprocess.run([given.program, *journal, "verify"], capture_output=True, text=True)
        assert verified.returncode == 0, verified.stdout
    print(f"{total} events in {seconds:.1f} s ({total / seconds:.0f} a second), {given.readers} readers: none lost, none twice; verified")
    for name, values in [("POST of ten milliseconds' events, ms", took), ("handed over to a reader, ms", delays), ("lag of a projection, ms", lags)]:
        print(f"{name}: p50 {quantile(values, 0.5):.1f}, p99 {quantile(values, 0.99):.1f}, most {max(values, default=0):.1f}")


if __name__ == "__main__":
    main()
