"""A crowded map: rings that cover nothing, dots for the rest, and nobody left out."""

from hypothesis import given
from hypothesis import strategies as st

from parcelwall.web.console.crowd import NAME, RING, Pin, thinned
from web.samples_console import glance

PLACES = st.lists(
    st.tuples(st.integers(0, 3_000), st.integers(0, 2_000), st.booleans(), st.integers(0, 48)), min_size=1, max_size=60
)


def pins_at(places: list[tuple[int, int, bool, int]]) -> list[Pin]:
    return [
        Pin(glance(nth, f"Station {nth}", 60.0, 24.0, cases=int(ails), in_use=in_use), float(x), float(y), "0 1")
        for nth, (x, y, ails, in_use) in enumerate(places)
    ]


@given(PLACES, st.sampled_from([0.5, 1.0, 4.0]))
def test_no_ring_covers_another_and_each_station_is_there_once(
    places: list[tuple[int, int, bool, int]], scale: float
) -> None:
    pins = pins_at(places)
    shown = thinned(pins, scale)
    assert sorted(pin.station.id for pin in shown) == sorted(pin.station.id for pin in pins)
    rings = [pin for pin in shown if pin.shape != "dot"]
    apart = lambda a, b, by: abs(a.x - b.x) >= by[0] * scale or abs(a.y - b.y) >= by[1] * scale  # noqa: E731
    assert all(apart(a, b, RING) for nth, a in enumerate(rings) for b in rings[:nth])
    named = [pin for pin in rings if not pin.shape]
    assert all(apart(a, b, NAME) for nth, a in enumerate(named) for b in named[:nth])
    for dot in (pin for pin in shown if pin.shape == "dot"):
        nearby = [ring for ring in rings if not apart(dot, ring, RING)]
        assert nearby, "a dot has a reason"
        assert not dot.station.cases or any(ring.station.cases for ring in nearby), "what needs somebody goes before"


def test_few_stations_all_have_their_ring_and_name() -> None:
    few = pins_at([(0, 0, False, 3), (900, 0, True, 48), (0, 700, False, 9)])
    assert {pin.shape for pin in thinned(few, 1.5)} == {""}
