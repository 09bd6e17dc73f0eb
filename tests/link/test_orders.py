"""Orders on the wire: the vector of hardware.md 8, whose signature they need, and a deadline that dies early."""

from uuid import UUID

import msgspec
import pytest

from link.books import HUB_KEY, OTHER_KEY, STATION, Pair
from parcelwall.link import frames, orders
from parcelwall.link.frames import BadFrame
from parcelwall.link.identity import Signer, order_bytes
from parcelwall.link.orders import Asked, Beaten

ORDER = UUID("0198f000-0000-7000-8000-00000000000a")
BODY = f'{{"id":"{ORDER}","do":"open","door":7,"boot":"b1","not_after":16000}}'
ASKED = Asked(id=ORDER, station=STATION, door=7, reason="the door was reported stuck")
HUB = Signer(HUB_KEY)


def test_vector() -> None:
    assert HUB.sign(order_bytes(STATION, BODY)) == (
        "6cf8161260358ce8f2505ed6b42ebeac5349adf3fb663a67473ff06d55fdca4a"
        "2f53c393b6ed3f048b34a58120255cc5e9d3bfcd22c5403752a81f0f0cfb530a"
    )


def test_the_deadline_is_of_the_stations_own_boot() -> None:
    frame = orders.order(ASKED, Beaten("b1", 600_000, 50.0), 57.5, HUB)
    ordered = orders.read(frame, HUB.public)
    assert (ordered.boot, ordered.not_after, ordered.door) == ("b1", 600_000 + 7_500 + 15_000, 7)
    assert ordered.reason == ASKED.reason


@pytest.mark.parametrize("body", ["{}", "", '{"id":7}', BODY.replace("open", "shut"), BODY.replace("7,", "0,")])
def test_what_cannot_be_read_closes_the_line(body: str) -> None:
    with pytest.raises(BadFrame):
        orders.read(frames.Order(body, HUB.sign(order_bytes(STATION, body))), HUB.public)


def test_only_the_hubs_hand_moves_a_door() -> None:
    frame = orders.order(ASKED, Beaten("b1", 0, 0.0), 0.0, HUB)
    for changed in (
        orders.order(ASKED, Beaten("b1", 0, 0.0), 0.0, Signer(OTHER_KEY)),
        frames.Order(frame.body.replace('"door":7', '"door":8'), frame.sig),
        frames.Order(frame.body, HUB.sign(order_bytes("S-0013", frame.body))),
        frames.Order(frame.body, ""),
    ):
        with pytest.raises(BadFrame) as bad:
            orders.read(changed, HUB.public)
        assert bad.value.code == frames.WRONG_IDENTITY


async def test_nothing_is_ordered_before_the_hub_has_proved_itself() -> None:
    station, hub = Pair().ends()
    with pytest.raises(BadFrame):
        station.hear(hub.order(ASKED))


async def test_an_order_is_handed_on_once_it_is_read() -> None:
    pair = Pair()
    heard: list[orders.Ordered] = []
    station, hub = pair.ends(obey=heard.append)
    [hello] = station.hear(hub.challenge())
    for answer in await hub.hear(hello):
        station.hear(answer)
    pair.now.advance(3.0)
    assert station.hear(hub.order(ASKED)) == []
    [ordered] = heard
    assert (ordered.id, ordered.station) == (ORDER, STATION)
    assert ordered.not_after == msgspec.json.decode(frames.decode(hello).body)["mono"] + 18_000  # type: ignore[union-attr]
