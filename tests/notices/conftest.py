from datetime import UTC, datetime

import pytest

from parcelwall.clock import SystemClock
from parcelwall.notices.messages import Message, NoticeFacts, compose


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def facts() -> NoticeFacts:
    """All that a notice may know, with names that need escaping."""
    return NoticeFacts(
        station="Kallio & Söhne <Square>",
        address="Fleminginkatu 1, 00500 Helsinki",
        zone="Europe/Helsinki",
        door=14,
        place="Left of the screen, waist height.",
        code="47190622",
        selector="2917",
        reference_end="3-2917",
        collect_by=datetime(2026, 11, 24, 8, 30, tzinfo=UTC),
        public_url="https://parcels.example",
        link="https://parcels.example/p/9kXw2mQ7",
        old_station="Harju",
        carrier="Posti",
        pick_up="Hakaniemi",
    )


@pytest.fixture
def message(facts: NoticeFacts) -> Message:
    return compose("ready", "en", facts)
