"""Which stations are near a place: bands of latitude of about two kilometres, each sorted by longitude, for tens of
thousands of stations.

Poles and the date line are places like any other. Plain Python: about 30 bytes for a station beside its id.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import lru_cache
from math import cos, floor, radians

from parcelwall.rules.places import distance_m

BAND_DEG = 0.02
KM_PER_DEGREE = 111.19  # along a meridian of a sphere of 6,371 km
FIRST_KM = 1.0
WIDER = 1.6
MOST_REMEMBERED = 20_000
PLANE_KM = 50.0  # so far bands and a plane serve; beyond, all stations are looked at
POLAR_DEG = 85.0  # the same
Band = tuple["array[float]", "array[float]", "array[int]"]  # longitudes in order, latitudes, places in `ids`


class Nearby:
    """Stations by place. Made once, and again when stations are added or moved."""

    def __init__(self, places: Iterable[tuple[str, float, float]]) -> None:
        self.ids: list[str] = []
        self._lat, self._lon = array("d"), array("d")
        bands: dict[int, list[tuple[float, float, int]]] = {}
        for name, lat, lon in places:
            bands.setdefault(_band(lat), []).append((lon, lat, len(self.ids)))
            self.ids.append(name)
            self._lat.append(lat)
            self._lon.append(lon)
        self._bands: dict[int, Band] = {band: _sorted(spots) for band, spots in bands.items()}
        self._reach_km: dict[tuple[int, int, int], float] = {}  # how far to look for so many, around some place

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
        limit, here, bands = reach * reach, cos(radians(lat)), self._bands
        found = []
        for number in range(_band(lat - reach), _band(lat + reach) + 1):
            band = bands.get(number)
            if band is None:
                continue
            lons, lats, ids = band
            narrow = min(here, _narrow(number))
            for low, high in _spans(lon, reach / narrow):
                first, last = bisect_left(lons, low), bisect_right(lons, high)
                for other, north, i in zip(lons[first:last], lats[first:last], ids[first:last], strict=True):
                    east = abs(other - lon)
                    east = (360 - east if east > 180 else east) * narrow
                    north -= lat
                    apart = north * north + east * east
                    if apart <= limit:
                        found.append((apart, i))
        return found


def _sorted(spots: list[tuple[float, float, int]]) -> Band:
    spots.sort()
    return array("d", [s[0] for s in spots]), array("d", [s[1] for s in spots]), array("I", [s[2] for s in spots])


def _band(lat: float) -> int:
    return floor((lat + 90) / BAND_DEG)


@lru_cache(maxsize=16384)
def _narrow(band: int) -> float:
    """How much shorter a degree of longitude is at the band's edge that is nearer to a pole than at the equator."""
    edges = (band * BAND_DEG - 90, (band + 1) * BAND_DEG - 90)
    return cos(radians(min(90.0, max(abs(edges[0]), abs(edges[1])))))


def _spans(lon: float, reach: float) -> tuple[tuple[float, float], ...]:
    """The longitudes within reach: two spans where they cross the date line."""
    low, high = lon - reach, lon + reach
    if high - low >= 360:
        return ((-180.0, 180.0),)
    if low < -180:
        return (-180.0, high), (low + 360, 180.0)
    if high > 180:
        return (-180.0, high - 360), (low, 180.0)
    return ((low, high),)
