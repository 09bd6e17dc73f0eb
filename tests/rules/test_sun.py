"""The sun's height against known risings and settings (published tables, to the minute)."""

from datetime import UTC, datetime

import pytest

from parcelwall.rules.sun import height_deg, is_dark

HORIZON_DEG = -0.833  # where the upper edge appears, with the air's bending
HELSINKI, QUITO, SYDNEY, TROMSO = (60.17, 24.94), (-0.18, -78.47), (-33.87, 151.21), (69.65, 18.96)


@pytest.mark.parametrize(("place", "when"), [
    (HELSINKI, datetime(2026, 6, 21, 0, 54, tzinfo=UTC)),  # 03:54
    (HELSINKI, datetime(2026, 6, 21, 19, 50, tzinfo=UTC)),  # 22:50
    (HELSINKI, datetime(2026, 12, 21, 13, 13, tzinfo=UTC)),  # 15:13
    (SYDNEY, datetime(2026, 12, 21, 9, 5, tzinfo=UTC)),  # 20:05
])  # fmt: skip
def test_it_stands_at_the_horizon_when_the_tables_say_so(place: tuple[float, float], when: datetime) -> None:
    assert height_deg(*place, when) == pytest.approx(HORIZON_DEG, abs=0.3)


def test_noon_midnight_and_the_days_without_them() -> None:
    assert height_deg(*QUITO, datetime(2026, 3, 20, 17, 21, tzinfo=UTC)) > 89
    assert is_dark(*QUITO, datetime(2026, 3, 21, 5, 0, tzinfo=UTC))
    assert all(is_dark(*TROMSO, datetime(2026, 12, 21, hour, tzinfo=UTC)) for hour in (0, 6, 18))
    assert not any(is_dark(*TROMSO, datetime(2026, 6, 21, hour, tzinfo=UTC)) for hour in range(24))
