"""`plan adopt` of a plan that is older than what is in use: said before it is asked, and then done."""

import asyncio
from datetime import timedelta
from pathlib import Path

from msgspec.json import encode
from typer.testing import CliRunner

from parcelwall.clock import SystemClock
from parcelwall.planning import at_hub, commands
from parcelwall.rules.offers import RoomTable
from station.towns import a_small_town


async def test_an_older_table_is_adopted_but_not_silently(database: str, tmp_path: Path) -> None:
    now = SystemClock().now()
    older, newer = (RoomTable(station="S-0001", made_at=now - timedelta(hours=h), chance={"M": (0.9,)}) for h in (2, 1))
    async with a_small_town(database, tmp_path) as town:
        here = asyncio.get_running_loop()

        class Reached:
            dsn = database

            async def take_tables(self, lines: list[bytes], digest: str) -> dict[str, int]:
                done = asyncio.run_coroutine_threadsafe(town.hub.take_tables(lines, digest), here)
                return await asyncio.wrap_future(done)

        at_hub.reach_hubs_by(lambda data, url, act: asyncio.run(act(Reached())))  # type: ignore[arg-type]

        async def adopt(table: RoomTable) -> str:
            (tmp_path / "room.jsonl").write_bytes(encode(table) + b"\n")
            given = ["adopt", str(tmp_path / "room.jsonl"), "--yes"]
            done = await asyncio.to_thread(CliRunner().invoke, commands.app, given)
            assert done.exit_code == 0, done.output
            return done.output

        assert "LATER" not in await adopt(older)
        assert "LATER" not in await adopt(newer)
        assert "LATER" not in await adopt(newer), "the same once more is no older one"
        said = await adopt(older)
        assert f"For 1 of them, what is in use was made LATER: of S-0001, {newer.made_at:%Y-%m-%d %H:%M} UTC." in said
        assert "In use: 1 RoomTable." in said
