"""The map at another hour: marked in words, nothing to act upon, no news of now, and back with one tap."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from web.test_console_roles import AREA, ELSEWHERE, Office, office  # noqa: F401 - a fixture

_KEEP = """
INSERT INTO forecast (station, hour, day, ahead, made_at, model, reason, told, low, high)
VALUES ($1, $2, $3, 1, $4, 'pipeline', '', 4.4, 2.6, 5.1)"""


async def shown(office: Office, query: str, who: str = "operator") -> str:  # noqa: F811
    answer = await office.browsers[who].get(f"/console{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_another_hour_is_marked_and_offers_nothing_of_now(office: Office) -> None:  # noqa: F811
    now = await shown(office, "")
    [base] = re.findall(r'data-from="(\d+)"', now)
    assert 'id="needs"' in now and "/console/events" in now and 'min="-168" max="48" value="0"' in now
    earlier = await shown(office, f"?hours=-30&from={base}&q=Kluuvi")
    assert "Earlier" in earlier and "not how they are now" in earlier and "was not there yet" in earlier
    assert 'value="-30"' in earlier and 'href="/console?q=Kluuvi">' in earlier and "Back to now" in earlier
    for of_now in ("hx-sse:connect", 'class="need ', "/console/events", 'class="pin-mark"', "is out of use"):
        assert of_now not in earlier, f"{of_now} is of now"
    assert AREA in earlier and ELSEWHERE not in earlier, "who is for one station sees that one then, too"
    on = datetime.fromtimestamp((int(base) - 30) * 3600, UTC).astimezone(ZoneInfo(office.hub.stations.zone))
    assert f"{on:%H:%M}" in re.findall(r'aria-valuetext="([^"]+)"', earlier)[0], "in the zone's words"


async def test_a_forecast_is_told_where_one_is_kept_and_nowhere_else(office: Office) -> None:  # noqa: F811
    this = office.hub.clock.now().replace(minute=0, second=0, microsecond=0)
    base, when = int(this.timestamp()) // 3600, this + timedelta(hours=20)
    await office.hub.pool.execute(_KEEP, AREA, when.hour, when.date(), this)
    forecast = await shown(office, f"?hours=20&from={base}", "admin")
    assert "Forecast" in forecast and "forecast: 4 of 6, between 3 and 5" in forecast
    assert forecast.count("no forecast for this hour") == 2, "on the map and in the list"
    other = await shown(office, f"?hours=21&from={base}", "admin")
    assert "forecast: " not in other and f'href="/console?hours=20&amp;from={base}"' in other, "where there is one"


async def test_where_hours_begin_at_half_past_the_link_leads_to_its_forecast(office: Office) -> None:  # noqa: F811
    """In India noon is half past six here."""
    for station in list(office.hub.stations.known.values()):
        await office.hub.configure(msgspec.structs.replace(station.about, zone="Asia/Kolkata"), joined=True)
    now = office.hub.clock.now()
    noon = (now + timedelta(hours=24)).astimezone(ZoneInfo("Asia/Kolkata")).replace(hour=12, minute=0)
    await office.hub.pool.execute(_KEEP, AREA, 12, noon.date(), now)
    [base] = re.findall(r'data-from="(\d+)"', await shown(office, "", "admin"))
    other = await shown(office, f"?hours=1&from={base}", "admin")
    [link] = re.findall(r'href="/console(\?hours=\d+&amp;from=\d+)"', other)
    assert "forecast: 4 of 6" in await shown(office, link.replace("&amp;", "&"), "admin")


@pytest.mark.parametrize("odd", ["?hours=-169", "?hours=49", "?hours=x", "?hours=0&from=1", "?hours=-5&from=1",
                                 "?hours=1e9", "?hours=%D9%A3", "?hours=-" + "9" * 30, "?from=-1&hours=7"])  # fmt: skip
async def test_what_is_no_hour_or_too_far_away_is_now(office: Office, odd: str) -> None:  # noqa: F811
    assert "hx-sse:connect" in await shown(office, odd)
