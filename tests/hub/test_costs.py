"""What a parcel cost and who was refused room: counted from the journal, priced by nothing but the policy."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal
from parcelwall.hub import policies
from parcelwall.hub.asked_for import Group, by_group
from parcelwall.hub.costs import costs
from parcelwall.hub.house import Hub
from parcelwall.hub.numbers import Span
from parcelwall.rules.policy import DEFAULT
from station.towns import NOW, Pen, a_hub, about, announced, parcel_at

PRICES = {"cost_station_day": 10.0, "cost_stop": 3.0, "cost_deposit": 0.5, "cost_currency": "EUR"}


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"), about("S-0002", lat=60.18))) as hub:
        yield hub


async def three_parcels(hub: Hub, pen: Pen) -> Span:
    """Two in one stop and one in another an hour later; one of them is collected. A day has passed since the start."""
    assert isinstance(hub.clock, VirtualClock)
    for number in (1, 2, 3):
        parcel = await parcel_at(hub, await announced(hub, f"PW-{number}", "S-0001"))
        hub.clock.advance(3600 if number == 3 else 60)
        entries = pen.write(pen.deposited(parcel, number, collect_by=NOW + timedelta(days=3)))
        await hub.receive("S-0001", entries)
    await hub.receive("S-0001", pen.write(pen.collected(parcel, 3)))
    hub.clock.advance((NOW + timedelta(days=1) - hub.clock.now()).total_seconds())
    return Span(NOW - timedelta(days=6), hub.clock.now())


async def adopt(hub: Hub, **changed: float | str) -> None:
    policy = msgspec.structs.replace(hub.policy, version=hub.policy.version + 1, **changed)
    policies.refuse_odd(policy)
    await hub.adopt(policy)


async def test_what_is_priced_is_counted_and_what_is_not_is_not(hub: Hub) -> None:
    assert isinstance(hub.clock, VirtualClock)
    span = await three_parcels(hub, Pen("S-0001", hub.clock))
    nothing = await costs(hub, span)
    assert (nothing.of_a_parcel, nothing.currency, nothing.parcels) == (None, "", 3), "no price is made up"
    await adopt(hub, **PRICES)
    found = await costs(hub, span)
    counted = {item.knob: round(item.count, 3) for item in found.items}
    assert counted["cost_station_day"] == 2, "two stations for one day: before it there were none"
    assert (counted["cost_stop"], counted["cost_deposit"]) == (2, 3), "who collects makes no stop"
    assert found.of_a_parcel == pytest.approx((2 * 10 + 2 * 3 + 3 * 0.5) / 3)
    of_one = await costs(hub, msgspec.structs.replace(span, stations=("S-0001",)))
    assert of_one.of_a_parcel == pytest.approx((10 + 2 * 3 + 3 * 0.5) / 3)
    assert (await costs(hub, span.before())).of_a_parcel is None, "nothing was put in: a dash, not zero"


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"cost_stop": -1.0}, "cost_stop"), ({"cost_stop": float("nan"), "cost_currency": "EUR"}, "cost_stop"),
     ({"cost_stop": 1.0}, "cost_currency"), ({"cost_currency": "euro"}, "cost_currency"),
     ({"offer_from": 1.5}, "offer_from")],
)  # fmt: skip
def test_odd_prices_are_refused(changed: dict[str, float | str], field: str) -> None:
    with pytest.raises(Refusal) as no:
        policies.refuse_odd(msgspec.structs.replace(DEFAULT, version=2, **changed))
    assert no.value.details["field"] == field


async def test_refusals_by_group(hub: Hub) -> None:
    assert isinstance(hub.clock, VirtualClock)
    for number in range(40):
        await announced(hub, f"PW-{number}", "S-0001")
    found = await by_group(hub, Span(NOW - timedelta(days=1), hub.clock.now() + timedelta(seconds=1)))
    promised = await hub.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 'Reserved'")
    [carrier] = [each for each in found if each.of == "carrier"]
    assert 0 < promised < 40 and (carrier.asked, carrier.refused) == (40, 40 - promised)
    assert Group("service", "", 40, 40 - promised) in found
    assert sum(each.asked for each in found if each.of == "size") == 40
