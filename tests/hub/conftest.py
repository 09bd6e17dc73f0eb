"""What tests of a hub that is restored share: backups of the town in the test at hand."""

from collections.abc import AsyncIterator

import pytest_asyncio

from hub.backups import Backups
from parcelwall.simulation.town import Town


@pytest_asyncio.fixture
async def backups(database: str, town: Town) -> AsyncIterator[Backups]:
    backups = Backups(database, town)
    yield backups
    await backups.drop()
