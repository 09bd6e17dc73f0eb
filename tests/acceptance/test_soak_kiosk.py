"""One kiosk page for two days: visits, idle hours, lost lines; it is never loaded again, and what it holds stays.

Both clocks move: the station's, and the page's own, so that its timers, its beats and its second-hands run the whole
48 hours, too. `SOAK_VISITS` and `SOAK_HOURS` make it shorter or longer.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from parcelwall.rules import facts
from station.rig import NAME
from web.gallery import CHROMIUM
from web.live_kiosk import LiveKiosk, live_kiosk

pytest.importorskip("playwright.async_api")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM["executable_path"]).exists(), reason="needs chromium-headless-shell"),
    pytest.mark.timeout(4 * 3600),
]
VISITS = int(os.environ.get("SOAK_VISITS", "2400"))
HOURS = float(os.environ.get("SOAK_HOURS", "48"))
STILL_S = 1.5  # what a visit needs of the page's own time, which runs by itself
GROWS_AT_MOST = 1.2


async def test_the_page_lives_for_48_hours_without_growing(tmp_path: Path) -> None:
    columns = " ".join(["S" * 16] * 8)  # so many that coils may rest
    async with live_kiosk(tmp_path, moves_time=True, columns=columns) as live:
        talk = await live.page.context.new_cdp_session(live.page)
        await talk.send("Performance.enable")
        held, every_s = [], HOURS * 3600 / VISITS
        for number in range(VISITS):
            began = live.rig.now.mono()
            await a_visit(live, number)
            await pass_time(live, max(0.0, every_s - (live.rig.now.mono() - began)))
            if number % (VISITS // 20) == VISITS // 20 - 1:
                held.append(await memory(live, talk))
                print(f"after {number + 1} visits, {live.kiosk.showing.number} screens: {held[-1]}")
        assert await live.page.evaluate("window.loadedOnce") is True, "it was loaded again"
        assert grown(held) == {}


def grown(held: list[dict[str, float]]) -> dict[str, tuple[float, float]]:
    """What the page holds more of at the end than after its first twentieth, by more than a fifth."""
    first, last = held[0], {name: min(each[name] for each in held[-3:]) for name in held[0]}
    return {name: (first[name], last[name]) for name in first if last[name] > first[name] * GROWS_AT_MOST}


async def memory(live: LiveKiosk, talk: Any) -> dict[str, float]:
    """What the page holds after a full collection: bytes of its scripts, nodes and listeners."""
    for _ in range(3):
        await talk.send("HeapProfiler.collectGarbage")
        await live.page.wait_for_timeout(100)
    told = {each["name"]: each["value"] for each in (await talk.send("Performance.getMetrics"))["metrics"]}
    return {name: told[name] for name in ("JSHeapUsedSize", "Nodes", "JSEventListeners")}


async def pass_time(live: LiveKiosk, seconds: float) -> None:
    """Nobody is there: the station's seconds pass, the page's timers fire each when it is due."""
    live.rig.now.advance(seconds)
    live.kiosk.tick()
    await live.page.clock.run_for(int(max(0.0, seconds - STILL_S) * 1000))
    if live.kiosk.showing.screen == "asleep":
        await live.shows("asleep")


async def a_visit(live: LiveKiosk, number: int) -> None:
    """Somebody brings, collects, shows what opens nothing, leaves half a code, or asks for help and goes away; and at
    times the line between page and station is lost."""
    rig, kiosk = live.rig, live.kiosk
    kiosk.home()
    await live.shows("home")
    if number == 0:
        await live.page.evaluate("() => { window.loadedOnce = true; }")
    if number % 10 == 9:
        await kiosk.scanned("PW1:NOT OURS")
        await live.shows("wrong")
    elif number % 10 == 8:
        await goes_away(live)
    elif number % 40 == 7:
        await loses_its_line(live)
    elif inside := rig.desk.inside():
        await through_the_door(live, rig.token(inside[0].id), "thanks")
    else:
        rig.promise(f"PW-{number}")
        await kiosk.sign_in(rig.courier_code())
        await through_the_door(live, f"PW-{number}", "courier-scan")
    kiosk.home()
    if number % 500 == 499:
        rig.memory.forget_ended()


async def goes_away(live: LiveKiosk) -> None:
    """Half a code, then help, and nobody any more: the screen asks, and starts over."""
    await live.page.locator("[data-key='4']").click()
    await live.page.locator("[data-key='7']").click()
    live.kiosk.staying.cover("help")
    await live.shows("help")
    for then in ("more-time", "home"):
        live.rig.now.advance(31)
        live.kiosk.tick()
        await live.shows(then)


async def loses_its_line(live: LiveKiosk) -> None:
    """The page connects again by itself and shows what has happened meanwhile."""
    await live.page.context.set_offline(True)
    live.kiosk.staying.cover("look")
    await live.page.wait_for_timeout(50)
    await live.page.context.set_offline(False)
    await live.shows("look")


async def through_the_door(live: LiveKiosk, shown: str, then: str) -> None:
    """What is shown to the reader opens a door, which is shut again. A door that rests is a case, and looked after."""
    rig = live.rig
    if (await live.kiosk.scanned(shown)).screen == "open":
        await live.shows("open")
        await rig.shut(live.kiosk.showing.door or 0)
        await live.shows(then)
        return
    await live.shows("stuck")
    for case in [each for each in rig.memory.book.cases.values() if each.closed_at is None]:
        rig.hear(facts.CaseClosed(case=case.id, station=NAME))
    for parcel in rig.desk.expected():
        rig.hear(facts.Lapsed(parcel=parcel.id, reservation=parcel.reservation))  # type: ignore[arg-type]
