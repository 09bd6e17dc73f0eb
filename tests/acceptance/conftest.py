"""One running demo for all tests that only need a town to visit; who needs one to break makes their own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acceptance.running import Town, a_town
from acceptance.shop import Shop


@pytest.fixture(scope="session")
def town() -> Iterator[Town]:
    """A demo without pretend people; at the end its books are whole."""
    with a_town() as running:
        yield running
        assert running.differences() == []


@pytest.fixture(scope="module")
def shop(town: Town) -> Iterator[Shop]:
    client = Shop(town.demo.url, town.demo.carrier_key)
    yield client
    client.close()


@pytest.fixture(scope="module")
def operator(town: Town) -> Iterator[Shop]:
    client = Shop(town.demo.url, town.demo.operator_key)
    yield client
    client.close()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    with pytest.importorskip("playwright.sync_api").sync_playwright() as started:
        yield started


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Where a courier's phone keeps what outlives its browser."""
    return tmp_path / "phone"
