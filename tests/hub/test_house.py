"""What opens a hub and what does not: a wrong folder, a wrong database, a master key that was left behind."""

import asyncio
import os
from pathlib import Path

import asyncpg
import msgspec
import pytest

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal, Trouble
from parcelwall.hub import house
from parcelwall.hub.server_user import NOBODY
from parcelwall.ids import seeded
from parcelwall.rules.policy import DEFAULT
from station.towns import NOW, a_hub, about


async def opened(folder: Path, dsn: str = "") -> None:
    """As every command but `hub` opens one."""
    clock = VirtualClock(NOW)
    async with house.opened(folder, clock, seeded(clock, 1), dsn, new=False):
        pass


async def test_only_the_hub_itself_makes_a_hub(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"typo holds no hub: --data must name the folder of one\.[^?]*$"):
        await opened(tmp_path / "typo")
    assert list(tmp_path.iterdir()) == []


async def test_the_folder_of_a_demo_holds_one_below(tmp_path: Path) -> None:
    (tmp_path / "hub/postgres/cluster").mkdir(parents=True)
    with pytest.raises(Trouble, match=f"holds no hub.* Did you mean {tmp_path}/hub?"):
        await opened(tmp_path)


async def test_a_folder_of_somebody_else_is_told(tmp_path: Path) -> None:
    """As an ordinary user, whoever runs the tests."""
    closed = tmp_path / "hub" / "postgres"
    closed.mkdir(parents=True)
    closed.chmod(0)
    ourselves = os.geteuid()
    tmp_path.chmod(0o755)
    try:
        os.seteuid(NOBODY if ourselves == 0 else ourselves)
        with pytest.raises(Trouble, match=r"closed to us|cannot be the data folder"):
            await opened(tmp_path / "hub")
    finally:
        os.seteuid(ourselves)
        closed.chmod(0o700)


async def test_a_database_without_a_hub_is_left_as_it_is(postgres_dsn: str, tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="the database holds no hub"):
        await opened(tmp_path / "data", postgres_dsn)
    connection = await asyncpg.connect(postgres_dsn)
    assert await connection.fetchval("SELECT to_regclass('migration')") is None
    await connection.close()


async def test_a_journal_without_its_master_key_gets_no_new_one(database: str, tmp_path: Path) -> None:
    """A restore that forgot the key: nothing would tell until the first station does not believe the hub."""
    async with a_hub(database, tmp_path / "old"):
        pass
    async with a_hub(database, tmp_path / "new", stations=(about(),)):
        pass  # nothing had been written yet
    with pytest.raises(Trouble, match=r"lost/master\.key is missing"):
        async with a_hub(database, tmp_path / "lost"):
            pass
    assert not (tmp_path / "lost/master.key").exists()
    await opened(tmp_path / "new", database)


async def test_of_two_who_adopt_a_policy_at_once_one_is_refused(database: str, tmp_path: Path) -> None:
    """Also where another process adopted one that this one has not heard of."""
    async with a_hub(database, tmp_path, stations=(about("S-0001"),)) as one, a_hub(database, tmp_path, slot=2) as two:
        new = [msgspec.structs.replace(DEFAULT, version=5, hold_hours=hours) for hours in (24, 72)]
        said = await asyncio.gather(*(one.adopt(each) for each in new), return_exceptions=True)
        assert [type(each) for each in said if each] == [Refusal]
        with pytest.raises(Refusal, match="above 5"):
            await two.adopt(msgspec.structs.replace(DEFAULT, version=2, hold_hours=99))
        assert await one.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'PolicyAdopted'") == 2
