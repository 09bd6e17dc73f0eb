"""Which stations are near a place: a grid of tiles of about two kilometres, for tens of thousands of stations.

Rows follow the latitude; a row has as many tiles as fit around the globe there, so that poles and the date line are
places like any other. Plain Python: about 30 bytes for a station beside its id.
"""

from array import array
from collections.abc import Iterable
from math import cos, floor, radians

from parcelwall.rules.places import distance_m

TILE_DEG = 0.02
KM_PER_DEGREE = 111.19  # along a meridian of a sphere of 6,371 km
FIRST_KM = 1.0
PLANE_KM = 50.0  # so far tiles and a plane serve; beyond, all stations are looked at
POLAR_DEG = 85.0  # the same


class Nearby:
    """Stations by place. Made once, and again when stations are added or moved."""

    def __init__(self, places: Iterable[tuple[str, float, float]]) -> None:
        self.ids: list[str] = []
        self._lat, self._lon = array("d"), array("d")
        self._tiles: dict[tuple[int, int], array[int]] = {}
        for name, lat, lon in places:
            row = _row(lat)
            tile = row, _column(lon, _around(row))
            self._tiles.setdefault(tile, array("I")).append(len(self.ids))
            self.ids.append(name)
            self._lat.append(lat)
            self._lon.append(lon)

    def find(self, place: tuple[float, float], within_km: float, most: int) -> list[tuple[str, float]]:
        """At most so many ids with their distance in metres, nearest first; of equal ones the lesser id first."""
        reach_km = min(FIRST_KM, within_km)
        found = self._within(place, reach_km)
        while len(found) < most and reach_km < within_km:
            reach_km = min(reach_km * 2, within_km)
            found = self._within(place, reach_km)
        found.sort()
        if reach_km <= PLANE_KM and len(found) > most:
            limit = found[most - 1][0] * 1.05  # on a plane; nobody beyond can be among the nearest
            found = [each for each in found[: 4 * most] if each[0] <= limit]
        near = [(distance_m(place, (self._lat[i], self._lon[i])), self.ids[i]) for _, i in found]
        return [(name, metres) for metres, name in sorted(near)[:most] if metres <= within_km * 1000]

    def _within(self, place: tuple[float, float], reach_km: float) -> list[tuple[float, int]]:
        """(squared degrees on a plane, place in `ids`) of all that lie within reach; some more, never fewer."""
        lat, lon = place
        reach = reach_km / KM_PER_DEGREE * 1.01
        if reach_km > PLANE_KM or abs(lat) + reach > POLAR_DEG:
            return [(0.0, i) for i in range(len(self.ids))]
        limit, lats, lons, tiles = reach * reach, self._lat, self._lon, self._tiles
        found = []
        for row in range(_row(lat - reach), _row(lat + reach) + 1):
            narrow = cos(radians(max(abs(lat), _nearest_to_pole(row))))
            around = _around(row)
            for column in _columns(lon, min(180.0, reach / narrow), around):
                for i in tiles.get((row, column), ()):
                    east = ((lons[i] - lon + 180) % 360 - 180) * narrow
                    north = lats[i] - lat
                    apart = north * north + east * east
                    if apart <= limit:
                        found.append((apart, i))
        return found


def _row(lat: float) -> int:
    return floor((lat + 90) / TILE_DEG)


def _nearest_to_pole(row: int) -> float:
    """The latitude of the row's edge that is nearer to a pole: where a degree of longitude is shortest."""
    edges = (row * TILE_DEG - 90, (row + 1) * TILE_DEG - 90)
    return min(90.0, max(abs(edges[0]), abs(edges[1])))


def _around(row: int) -> int:
    """How many tiles this row has around the globe."""
    return max(1, floor(360 * cos(radians(_nearest_to_pole(row))) / TILE_DEG))


def _column(lon: float, around: int) -> int:
    return floor((lon + 180) % 360 / 360 * around) % around


def _columns(lon: float, reach: float, around: int) -> Iterable[int]:
    low, high = (floor((lon + side + 180) / 360 * around) for side in (-reach, reach))
    if high - low + 1 >= around:
        return range(around)
    return (column % around for column in range(low, high + 1))
