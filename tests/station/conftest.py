"""A station in a rig, whose books are verified when the test is over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from station.rig import Rig


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = await Rig(tmp_path).start()
    yield rig
    rig.clean()
    await rig.stop()
