"""Which stations are near a place: a grid of tiles of about two kilometres, for tens of thousands of stations.

Rows follow the latitude; a row has as many tiles as fit around the globe there, so that poles and the date line are
places like any other. Plain Python: about 30 bytes for a station beside its id.
"""

from array import array
from collections.abc import Iterable
from functools import lru_cache
from math import cos, floor, radians

from parcelwall.rules.places import distance_m

TILE_DEG = 0.02
KM_PER_DEGREE = 111.19  # along a meridian of a sphere of 6,371 km
FIRST_KM = 1.0
WIDER = 1.6
MOST_REMEMBERED = 20_000
PLANE_KM = 50.0  # so far tiles and a plane serve; beyond, all stations are looked at
POLAR_DEG = 85.0  # the same


class Nearby:
    """Stations by place. Made once, and again when stations are added or moved."""

    def __init__(self, places: Iterable[tuple[str, float, float]]) -> None:
        self.ids: list[str] = []
        self._lat, self._lon = array("d"), array("d")
        self._tiles: dict[tuple[int, int], array[int]] = {}
        self._reach_km: dict[tuple[int, int, int], float] = {}  # how far to look for so many, around some place
        for name, lat, lon in places:
            row = _row(lat)
            tile = row, _column(lon, _of_row(row)[0])
            self._tiles.setdefault(tile, array("I")).append(len(self.ids))
            self.ids.append(name)
            self._lat.append(lat)
            self._lon.append(lon)

    def find(self, place: tuple[float, float], within_km: float, most: int) -> list[tuple[str, float]]:
        """At most so many ids with their distance in metres, nearest first; of equal ones the lesser id first."""
        around = int(place[0] * 4), int(place[1] * 4), most
        reach_km = min(self._reach_km.get(around, FIRST_KM), within_km)
        found = self._within(place, reach_km)
        while len(found) < most and reach_km < within_km:
            reach_km = min(reach_km * WIDER, within_km)
            found = self._within(place, reach_km)
            if len(self._reach_km) < MOST_REMEMBERED:
                self._reach_km[around] = reach_km
        found.sort()
        if len(found) > most and found[most - 1][0] > 0:  # 0: no plane serves there, or many stand on one place
            limit = found[most - 1][0] * 1.05  # nobody beyond can be among the nearest
            found = [each for each in found if each[0] <= limit]
        near = [(distance_m(place, (self._lat[i], self._lon[i])), self.ids[i]) for _, i in found]
        return [(name, metres) for metres, name in sorted(near)[:most] if metres <= within_km * 1000]

    def _within(self, place: tuple[float, float], reach_km: float) -> list[tuple[float, int]]:
        """(squared degrees on a plane, place in `ids`) of all that lie within reach; some more, never fewer."""
        lat, lon = place
        reach = reach_km / KM_PER_DEGREE * 1.01
        if reach_km > PLANE_KM or abs(lat) + reach > POLAR_DEG:
            return [(0.0, i) for i in range(len(self.ids))]
        limit, lats, lons, here = reach * reach, self._lat, self._lon, cos(radians(lat))
        found = []
        for row in range(_row(lat - reach), _row(lat + reach) + 1):
            around, edge = _of_row(row)
            narrow = min(here, edge)
            for i in self._in_columns(row, lon, min(180.0, reach / narrow), around):
                north, east = lats[i] - lat, lons[i] - lon
                if not -180 <= east < 180:
                    east = (east + 180) % 360 - 180
                apart = north * north + east * east * narrow * narrow
                if apart <= limit:
                    found.append((apart, i))
        return found

    def _in_columns(self, row: int, lon: float, reach: float, around: int) -> list[int]:
        """Stations of the tiles of one row that come nearer than `reach` degrees."""
        low, high = floor((lon - reach + 180) / 360 * around), floor((lon + reach + 180) / 360 * around)
        if high - low + 1 >= around:
            low, high = 0, around - 1
        tiles = self._tiles
        found: list[int] = []
        for column in range(low, high + 1):
            tile = tiles.get((row, column if 0 <= column < around else column % around))
            if tile is not None:
                found += tile
        return found


def _row(lat: float) -> int:
    return floor((lat + 90) / TILE_DEG)


@lru_cache(maxsize=16384)
def _of_row(row: int) -> tuple[int, float]:
    """How many tiles this row has around the globe, and how much shorter a degree of longitude is at the edge nearer to
    a pole than at the equator."""
    edges = (row * TILE_DEG - 90, (row + 1) * TILE_DEG - 90)
    narrow = cos(radians(min(90.0, max(abs(edges[0]), abs(edges[1])))))
    return max(1, floor(360 * narrow / TILE_DEG)), narrow


def _column(lon: float, around: int) -> int:
    return floor((lon + 180) % 360 / 360 * around) % around
