"""kill -9 of a station's process while couriers and recipients come and go: what was said to be done is in its book."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from uuid import UUID

import pytest

from parcelwall.rules.life import Stage
from station.rig import Rig

ROUNDS, SAID = 4, 20

CHILD = """
import asyncio, itertools, sys
from pathlib import Path
from station.rig import Rig

async def main(folder, round_):
    rig = Rig(Path(folder), "SSSSSSSS", seed=int(round_), durable=True)
    await (rig.start() if round_ == "1" else rig.resume())
    for number in itertools.count():
        rig.now.advance(600)  # the coils of a lock are spared
        parcel = await rig.inside(f"PW-{round_}-{number}")
        print("in", parcel, flush=True)
        await rig.collect(rig.code(parcel))
        print("out", parcel, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def until_killed(folder: Path, round_: int) -> list[tuple[str, UUID]]:
    """What a process said was done before it was killed."""
    paths = os.pathsep.join(path for path in sys.path if path)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(folder), str(round_), stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    assert child.stdout is not None
    lines = [(await child.stdout.readline()).decode() for _ in range(SAID)]
    child.send_signal(signal.SIGKILL)
    rest = (await child.stdout.read()).decode().splitlines(keepends=True)
    assert await child.wait() == -signal.SIGKILL, "it was alive when it was killed"
    words = [line.split() for line in (*lines, *rest) if line.endswith("\n")]
    return [(what, UUID(parcel)) for what, parcel in words]


@pytest.mark.timeout(120)
async def test_what_a_killed_station_said_is_done(tmp_path: Path) -> None:
    said: list[tuple[str, UUID]] = []
    for round_ in range(1, ROUNDS + 1):
        said += await until_killed(tmp_path, round_)
        rig = await Rig(tmp_path, "SSSSSSSS", seed=100 + round_, durable=True).resume()
        for what, parcel in said:
            stages = (Stage.COLLECTED,) if what == "out" else (Stage.READY, Stage.COLLECTED)
            assert rig.parcel(parcel).stage in stages
        assert rig.desk.unfinished() == []
        rig.clean()
        for parcel in [each.id for each in rig.desk.inside()]:
            rig.now.advance(600)
            await rig.collect(rig.code(parcel))
        await rig.stop()
    assert len(said) >= ROUNDS * SAID
