"""Measures how well several bridges use one budget, and how fairly.

    cargo build --release --features cli --bin eset-protect
    python3 benches/budget.py [SECONDS [PROGRAM]]

Four bridges share the rate of a tenant through Redis; 64 callers of each call as often as they can. The upstream takes
10 calls in any second and refuses the next with 429. Prints the share of the budget that was used, the share of calls
that were refused, and Jain's index of the callers' calls. Needs redis-server.
"""

import asyncio
import collections
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 60
PROGRAM = sys.argv[2] if len(sys.argv) > 2 else str(ROOT / "target/release/eset-protect")
INSTANCES, CALLERS, RATE = 4, 64, 10


class Upstream:
    """Counts calls, and refuses the eleventh of any second."""

    def __init__(self):
        self.taken, self.refused, self.recent = 0, 0, collections.deque()

    async def answer(self, reader, writer):
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                now = time.monotonic()
                while self.recent and now - self.recent[0] >= 1:
                    self.recent.popleft()
                is_taken = len(self.recent) < RATE
                if is_taken:
                    self.recent.append(now)
                    self.taken += 1
                else:
                    self.refused += 1
                status = b"200 OK" if is_taken else b"429 Too Many Requests"
                writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()


async def call(address, token, counts, index):
    """Calls until it is cancelled."""
    reader, writer = await asyncio.open_connection(*address)
    head = f"GET /v1/device_tasks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ngrpc-timeout: 2M\r\n\r\n"
    while True:
        writer.write(head.encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        counts[index] += answer.startswith(b"HTTP/1.1 200")


def start(folder, number, port):
    tables = "".join(
        f'[callers.c{caller}]\ntoken_sha256 = "{hashlib.sha256(f"token-{caller}".encode()).hexdigest()}"\n'
        'tenants = ["acme"]\n' for caller in range(CALLERS))
    config = folder / f"serve-{number}.toml"
    config.write_text(
        f'listen = "127.0.0.1:0"\n[redis]\nurl = "redis+unix://{folder}/redis.sock"\ninstances = {INSTANCES}\n'
        f'[tenants.acme]\nendpoint = "http://127.0.0.1:{port}"\nwire = "rest"\nrate = {RATE}\n{tables}')
    bridge = subprocess.Popen([PROGRAM, "serve", "--config", config], stdout=subprocess.PIPE, text=True)
    host, _, port = bridge.stdout.readline().strip().removeprefix("Listening on http://").partition(":")
    return bridge, (host, int(port))


async def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        options = ["--port", "0", "--unixsocket", folder / "redis.sock", "--save", ""]
        programs = [subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)]
        try:
            while not (folder / "redis.sock").exists():
                await asyncio.sleep(0.05)
            upstream = Upstream()
            server = await asyncio.start_server(upstream.answer, "127.0.0.1", 0)
            addresses = []
            for number in range(INSTANCES):
                bridge, address = start(folder, number, server.sockets[0].getsockname()[1])
                programs.append(bridge)
                addresses.append(address)
            counts = [0] * (INSTANCES * CALLERS)
            calls = [asyncio.ensure_future(call(addresses[index % INSTANCES], f"token-{index // INSTANCES}", counts, index))
                     for index in range(len(counts))]
            # A second of the burst that a full budget lets through.
            await asyncio.sleep(1)
            before = upstream.taken, upstream.refused
            await asyncio.sleep(SECONDS)
            taken, refused = upstream.taken - before[0], upstream.refused - before[1]
            for task in calls:
                task.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        finally:
            for program in reversed(programs):
                # Their callers would be waited for.
                program.kill()
                program.wait()
    jain = sum(counts) ** 2 / (len(counts) * sum(count * count for count in counts))
    print(f"used {taken / (RATE * SECONDS):.1%} of the budget, refused {refused / (taken + refused):.2%}, "
          f"Jain's index of {len(counts)} callers {jain:.3f}, calls of each {min(counts)} to {max(counts)}")


asyncio.run(main())
