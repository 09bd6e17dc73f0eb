"""Two nightly runs at once, or an admin who adopts while one plans: what was planned on another footing is a plan."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from parcelwall.errors import Trouble
from parcelwall.planning import commands, nightly_report
from parcelwall.planning.nightly_report import Nightly
from parcelwall.rules.tables import AdmissionRow
from parcelwall.simulation.town import Town
from station.towns import a_hub, a_small_town, told

ROW = AdmissionRow(name="night/S-0001/S/-", rule="threshold", levels=(1.0,) * 7, expected=(9.0,) * 7)
_ADOPTED = "SELECT count(*) FROM entry WHERE kind = 'AdmissionAdopted'"


@pytest_asyncio.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with a_small_town(database, tmp_path) as town:
        await told(town, "PW-1")
        await town.hub.adopt_rows([AdmissionRow(name="all", rule="nightly")])
        yield town


async def planned(town: Town, database: str) -> Nightly:
    """What a run has read by now."""
    connection = await asyncpg.connect(database)
    try:
        now = town.clock.now() + timedelta(hours=1)
        return (await nightly_report.from_journal(connection, now, {}, 1, False, lambda _: None))[1]
    finally:
        await connection.close()


async def test_of_two_runs_at_once_one_comes_into_force(town: Town, database: str, tmp_path: Path) -> None:
    first, second = await planned(town, database), await planned(town, database)
    async with a_hub(database, tmp_path / "hub", slot=2) as other:
        done = await asyncio.gather(
            *(commands.adopt_by_itself(hub, [ROW], "ab" * 32, "all", plan.adopted)
              for hub, plan in ((town.hub, first), (other, second))), return_exceptions=True,
        )  # fmt: skip
    assert {type(each) for each in done} == {type(None), Trouble}, done
    assert await town.hub.pool.fetchval(_ADOPTED) == 2
    again = await planned(town, database)
    await commands.adopt_by_itself(town.hub, [ROW], "ab" * 32, "all", again.adopted)
    assert await town.hub.pool.fetchval(_ADOPTED) == 3


async def test_an_admin_who_ends_the_leave_while_it_is_planned_is_heeded(town: Town, database: str) -> None:
    plan = await planned(town, database)
    await town.hub.adopt_rows([AdmissionRow(name="all", rule="ended")])
    with pytest.raises(Trouble, match="while this was planned"):
        await commands.adopt_by_itself(town.hub, [ROW], "ab" * 32, "all", plan.adopted)
    assert ROW not in town.hub.desk.rows
