"""`parcelwall demo --once`: one delivery with narration. Whole only if every step was seen, and verify is clean."""

import re
from collections.abc import Callable

from parcelwall.clock import Clock
from parcelwall.errors import Trouble
from parcelwall.hub.verify import verify_hub
from parcelwall.ids import Ids
from parcelwall.simulation.demo import Demo
from parcelwall.simulation.people import People, Told
from parcelwall.station.verify import verify_station

TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


async def play_once(demo: Demo, clock: Clock, ids: Ids, say: Callable[[str], None]) -> None:
    """Plays the story. Raises Trouble that names the step which is missing."""
    people = People(demo, clock, ids, say)
    say("A shop announces a parcel over the API.")
    told = await people.order("S-0001")
    say(f"  The hub promises room at Kluuvi in the same request. The number is {told.reference}.")
    await _track(people, told, say)
    await people.report(told, "out_for_delivery")
    await _track(people, told, say)
    say("The courier signs in at the screen with the code of the day and scans the label.")
    door = await people.deposit(told)
    say(f"  Door {door} opens, the parcel goes in, the door is pushed shut. No confirm tap.")
    mail = await people.read_mail(told)
    say(f"The recipient has a real e-mail: “{mail.subject}”.")
    await _track(people, told, say)
    say("Somebody types a wrong code.")
    await _wrong_code(people, told, say)
    say("The recipient types the eight digits from the mail.")
    collected_at = await people.collect(told, mail)
    if collected_at != door:
        raise Trouble(f"door {collected_at} opened, the parcel lay behind door {door}")
    say(f"  Door {door} opens, the parcel is out, the door is shut.")
    await people.until(lambda: _free(demo, door), "the compartment is free")
    say("  The compartment is free for the next parcel.")
    await _trackuntil(people, told, "Collected", say)
    await _verify(demo, people, say)


async def _track(people: People, told: Told, say: Callable[[str], None]) -> str:
    page = await people.shop.get(f"/?number={told.reference}")
    found = TITLE.search(page.text)
    heading = found[1].strip() if found else ""
    if page.status != 200 or not heading:
        raise Trouble(f"the tracking page answered {page.status}")
    say(f"  Tracking says: {heading}")
    return heading


async def _trackuntil(people: People, told: Told, wanted: str, say: Callable[[str], None]) -> None:
    heading = ""
    for _ in range(100):
        page = await people.shop.get(f"/?number={told.reference}")
        found = TITLE.search(page.text)
        heading = found[1].strip() if found else ""
        if wanted in heading:
            say(f"  Tracking says: {heading}")
            return
        await people.clock.sleep(0.1)
    raise Trouble(f"the tracking page says {heading!r}, not {wanted!r}")


async def _wrong_code(people: People, told: Told, say: Callable[[str], None]) -> None:
    kiosk = people.demo.stations[told.station].station.kiosk
    await people.browsers[told.station].post_form("/code", digits="00000000")
    if kiosk.showing.screen != "wrong":
        raise Trouble(f"a wrong code shows the screen {kiosk.showing.screen!r}")
    say(f"  “That code opens no door here.” {kiosk.showing.tries_left} tries left before a short pause.")


def _free(demo: Demo, door: int) -> bool:
    desk = demo.stations["S-0001"].station.desk
    return not desk.memory.room().unusable & desk.plan.bit(door)


async def _verify(demo: Demo, people: People, say: Callable[[str], None]) -> None:
    """Both books are whole, and agree."""
    stations = demo.stations.values()
    await people.until(lambda: not any(each.station.memory.unsent() for each in stations), "the hub has heard all")
    wrong = await verify_hub(demo.hub.pool)
    for each in stations:
        wrong += verify_station(each.station.memory)
    if wrong:
        raise Trouble(f"verify found {len(wrong)} differences, the first: {wrong[0]}")
    say("Verify: both journals are whole, and the tables follow from them.")
