"""The same log under the same policy, again and again: the same history, byte for byte.

A log in which everything happens (see tests/faults/everything.py) is replayed through the pure
core, twice by workers, and once by workers that are killed and replaced. Printed are the SHA-256
of every transition, of everyone's end, and of every forecast. Exit code 1 if any differs::

    python -m tests.bench.determinism [--events 12000] [--days 120] [--seed 1] [--kills 10]
        [--broker apache|embedded] [--keep FOLDER]

The embedded broker never puts a killed worker out of its group, so there nobody is killed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from agents.embedded import EmbeddedBroker, EmbeddedRedis
from tests.brokers.apache_kafka import ApacheKafka
from tests.faults.everything import Story, policy
from tests.faults.replays import Ended, Replay, Servers, play_live, play_offline


def show(name: str, ended: Ended) -> None:
    """Print what a replay amounts to."""
    caught = f", killed at {' '.join(ended.kills)}" if ended.kills else ""
    print(f"{name}: {ended.seconds:.0f} s{caught}", flush=True)
    for file, digest in ended.digests().items():
        lines = (ended.folder / file).read_bytes().count(b"\n")
        print(f"  {digest}  {file} ({lines:,} lines)", flush=True)


async def measure(servers: Servers, replay: Replay, folder: Path, kills: int, seed: int) -> bool:
    """Replay, print, and return whether every replay was the same."""
    runs = {"offline": play_offline(replay, folder / "offline")}
    show("offline", runs["offline"])
    plans = [("live", 0), ("live again", 0), (f"live, {kills} kills, seed {seed}", kills)]
    for name, wanted in plans if kills else plans[:2]:
        at = folder / f"live-{len(runs)}"
        chance = random.Random(seed)
        runs[name] = await play_live(servers, replay, at, kills=wanted, chance=chance)
        show(name, runs[name])
    expected = runs["offline"].digests()
    differing = [name for name, ended in runs.items() if ended.digests() != expected]
    print(f"different from offline: {', '.join(differing)}" if differing else "all the same")
    return not differing


def main() -> int:
    """Start the servers and replay."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.bench.determinism")
    parser.add_argument("--events", type=int, default=12_000)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1, help="of the log and of the kills")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--broker", choices=["embedded", "apache"], default="apache")
    parser.add_argument("--keep", type=Path, help="a new folder for what the replays write")
    arguments = parser.parse_args()
    on_apache = arguments.broker == "apache"
    broker = ApacheKafka() if on_apache else EmbeddedBroker()
    kept = arguments.keep
    if kept is not None:
        kept.mkdir(parents=True)
    with (
        broker,
        EmbeddedRedis() as redis,
        tempfile.TemporaryDirectory() if kept is None else nullcontext(str(kept)) as name,
    ):
        folder = Path(name)
        story = Story(arguments.events, arguments.days, arguments.seed)
        log = folder / "log.jsonl"
        print(f"{story.write(log):,} records over {story.days} days, seed {story.seed}")
        replay = Replay(log, policy(1), story.as_of_ms)
        servers = Servers(broker.address, redis.url)
        kills = arguments.kills if on_apache else 0
        same = asyncio.run(measure(servers, replay, folder, kills, arguments.seed))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
