"""Where the sun stands: whether it is dark at a place. Good to a tenth of a degree for a century; no air, no hills."""

import math
from datetime import UTC, datetime

NOON_2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
DARK_BELOW_DEG = -3.0  # a quarter of an hour after sunset at the equator, half an hour and more in the north


def height_deg(lat: float, lon: float, when: datetime) -> float:
    """The sun's height above the horizon, below it negative. Degrees north and east. Astronomical Almanac, page C5."""
    days = (when - NOON_2000).total_seconds() / 86_400
    anomaly = math.radians(357.529 + 0.98560028 * days)
    longitude = math.radians(280.459 + 0.98564736 * days + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    tilt = math.radians(23.439 - 0.00000036 * days)
    ascension = math.atan2(math.cos(tilt) * math.sin(longitude), math.cos(longitude))
    declination = math.asin(math.sin(tilt) * math.sin(longitude))
    hour_angle = math.radians(15 * (18.697374558 + 24.06570982441908 * days) + lon) - ascension
    north = math.radians(lat)
    return math.degrees(math.asin(
        math.sin(north) * math.sin(declination) + math.cos(north) * math.cos(declination) * math.cos(hour_angle)
    ))  # fmt: skip


def is_dark(lat: float, lon: float, when: datetime) -> bool:
    return height_deg(lat, lon, when) < DARK_BELOW_DEG
