"""Another process of the hub: tries one thing many times at once, and prints how often it was let.

    python tests/hub/tries_of_one_process.py DSN FOLDER SLOT NAME TIMES
"""

import asyncio
import sys
from pathlib import Path

from parcelwall.clock import SystemClock
from parcelwall.hub import house, tries
from parcelwall.ids import Ids


async def main(dsn: str, folder: Path, slot: int, name: str, times: int) -> int:
    clock = SystemClock()
    async with house.serving(dsn, folder, clock, Ids(clock), slot) as hub:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        return sum(await asyncio.gather(*(tries.take(hub, name) for _ in range(times))))


if __name__ == "__main__":
    print(asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))))
