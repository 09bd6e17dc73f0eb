"""The nearest stations by a grid are the nearest by looking at all."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from parcelwall.hub.index import Nearby
from parcelwall.rules.places import distance_m

spot = st.tuples(st.floats(-90, 90), st.floats(-180, 180))
town = st.tuples(st.floats(59.9, 60.4), st.floats(24.5, 25.5))


def by_looking_at_all(
    stations: list[tuple[float, float]], place: tuple[float, float], within_km: float, most: int
) -> list[float]:
    distances = sorted(distance_m(place, each) for each in stations)
    return [metres for metres in distances[:most] if metres <= within_km * 1000]


@settings(max_examples=150, deadline=None)
@given(st.lists(town, max_size=60), town, st.sampled_from([1.0, 5.0, 25.0, 300.0]), st.integers(1, 12))
def test_in_a_town(stations: list[tuple[float, float]], place: tuple[float, float], km: float, most: int) -> None:
    agrees(stations, place, km, most)


@settings(max_examples=150, deadline=None)
@given(st.lists(spot, max_size=30), spot, st.sampled_from([5.0, 50.0, 2_000.0, 25_000.0]), st.integers(1, 5))
@example([(0.0, 179.999)], (0.0, -179.999), 5.0, 1)  # over the date line
@example([(89.99, 0.0)], (89.99, 180.0), 5.0, 1)  # over the pole
@example([(90.0, 0.0), (-90.0, 0.0)], (90.0, 10.0), 5.0, 2)
def test_anywhere(stations: list[tuple[float, float]], place: tuple[float, float], km: float, most: int) -> None:
    agrees(stations, place, km, most)


def agrees(stations: list[tuple[float, float]], place: tuple[float, float], km: float, most: int) -> None:
    index = Nearby((f"S-{n:04}", *each) for n, each in enumerate(stations))
    found = index.find(place, km, most)
    assert [round(metres, 3) for _, metres in found] == [
        round(metres, 3) for metres in by_looking_at_all(stations, place, km, most)
    ]
    assert len({name for name, _ in found}) == len(found)
