"""The demo's pretend people: a shop that orders, a courier who brings, recipients who read their mail and collect.

They use what real people use: the API, the scanner, the screen's code pad, the doors' leaves.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import structlog

from parcelwall.clock import Clock
from parcelwall.errors import Refusal, Trouble
from parcelwall.hub import reading
from parcelwall.ids import Ids
from parcelwall.notices.sink import SunkMail
from parcelwall.rules.life import Stage
from parcelwall.simulation.browser import Browser
from parcelwall.simulation.demo import COURIER, Demo
from parcelwall.web.demo import Pretend
from parcelwall.web.demo_town import Followed

NAMES = ("Aino", "Eero", "Helmi", "Onni", "Venla", "Leo", "Siiri", "Toivo")
SIZES = ((300, 200, 60, 900), (250, 180, 70, 600), (350, 300, 150, 2500), (360, 350, 380, 6000))
LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
CODE = re.compile(r"\b(\d{4}) (\d{4})\b")
OWN_PAGE = re.compile(r"/p/[\w-]+")
WAIT_S = 20.0
AT_REST = ("home", "asleep")  # screens that nobody stands before

log = structlog.get_logger()


class Told(msgspec.Struct, frozen=True):
    """One parcel of the demo, from the shop's side."""

    reference: str
    station: str
    to: str
    track: str


class People:
    """All of them. `say` is told what happens, in words. Each is `at_door_s` before an open door."""

    def __init__(
        self, demo: Demo, clock: Clock, ids: Ids, say: Callable[[str], None], at_door_s: float = 1.0
    ) -> None:  # fmt: skip
        self.demo, self.clock, self.ids, self.say, self.at_door_s = demo, clock, ids, say, at_door_s
        self.shop = Browser(demo.url)
        self.browsers = {name: Browser(each.kiosk_url) for name, each in demo.stations.items()}
        self._count = 0
        self._queues: dict[str, asyncio.Lock] = {}

    def _pick(self, things):  # type: ignore[no-untyped-def]
        return things[self.ids.chance.getrandbits(16) % len(things)]

    async def order(self, station: str | None = None, parcel: tuple[int, int, int, int] | None = None) -> Told:
        """The shop announces a parcel (its sides in mm and weight in g) over the API, and is promised room at once.

        Raises Trouble if no room is promised.
        """
        self._count += 1
        station = station or self._pick(list(self.demo.stations))
        length, width, height, weight = parcel or self._pick(SIZES)
        number = "".join(self._pick(LETTERS) for _ in range(3))
        reference = f"PW-{number}-{self.ids.chance.getrandbits(32) % 9000 + 1000}"
        name = self._pick(NAMES)
        email, language = f"{name.lower()}.{self._count}@example.org", self._pick(("en", "de", "pl"))
        person = {"name": name, "email": email, "language": language}
        body = {
            "reference": reference, "length_mm": length, "width_mm": width, "height_mm": height, "weight_g": weight,
            "recipient": person, "destination": {"station_id": station},
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {self.demo.carrier_key}", "Idempotency-Key": str(self.ids.new())}
        answer = await self.shop.post_json("/api/v1/parcels", body, headers)
        if answer.status != 201:
            raise Trouble(f"the API answered {answer.status}: {answer.text[:200]}")
        shown = answer.json()
        if shown["stage"] != "RESERVED":
            raise Trouble(f"no room was promised: {shown.get('reason')}")
        self.demo.expect(station, reference)
        self.demo.tries[2:] = [("A number to track", reference)]
        return Told(reference, station, person["email"], shown["track"])

    async def report(self, told: Told, mark: str) -> None:
        """The carrier scanned it on the way."""
        headers = {"Authorization": f"Bearer {self.demo.carrier_key}", "Idempotency-Key": str(self.ids.new())}
        body = {"reference": told.reference, "mark": mark}
        await self.shop.post_json("/api/v1/carriers/demo-post/reports", body, headers)

    async def deposit(self, told: Told) -> int:
        """The courier signs in at the screen, scans, puts in, pushes shut. Answers the door."""
        here, browser = self.demo.stations[told.station], self.browsers[told.station]
        await browser.get("/begin")
        await self.until(lambda: self._expected(here, told.reference), "the station hears of the parcel")
        code, _ = await reading.courier_code(self.demo.hub, told.station, COURIER)
        await browser.post_form("/sign-in", digits=code)
        await here.station.kiosk.label(told.reference)
        door = await self._through(here)
        self.demo.arrived(told.station, told.reference)
        showing = here.station.kiosk.showing
        await browser.post_form("/act", name="finish", screen=str(showing.number))
        return door

    def _expected(self, here: Pretend, label: str) -> bool:
        try:
            return here.station.desk.by_label(label).stage == Stage.RESERVED
        except Refusal:
            return False

    async def read_mail(self, told: Told) -> SunkMail:
        """The recipient's mail with the code."""
        await self.until(lambda: any(mail.to == told.to for mail in self.demo.sink.mails()), "the mail comes")
        return next(mail for mail in self.demo.sink.mails() if mail.to == told.to)

    async def collect(self, told: Told, mail: SunkMail) -> int:
        """The recipient types the code from the mail, takes the parcel, pushes the door shut. Answers the door.

        Raises Trouble for a mail without a code.
        """
        here, browser = self.demo.stations[told.station], self.browsers[told.station]
        found = CODE.search(mail.text)
        if found is None:
            raise Trouble("the mail holds no code")
        await browser.get("/begin")
        await browser.post_form("/code", digits=found[1] + found[2])
        return await self._through(here)

    async def _through(self, here: Pretend) -> int:
        """Waits for the open door, uses it, pushes until it catches, which it does not while its coil is driven."""
        kiosk = here.station.kiosk
        await self.until(lambda: kiosk.showing.screen == "open", "the door opens", lambda: kiosk.showing.screen)
        door = kiosk.showing.door or 0
        await asyncio.sleep(self.at_door_s)

        def pushed() -> bool:
            here.boards.push_closed(door)
            return kiosk.showing.screen not in ("open", "still-open")

        await self.until(pushed, "the station sees the door shut")
        return door

    async def until(self, done: Callable[[], bool], what: str, instead: Callable[[], str] | None = None) -> None:
        """Waits for something that others do. Raises Trouble after WAIT_S, which says what is there `instead`."""
        deadline = self.clock.mono() + WAIT_S
        while not done():
            if self.clock.mono() > deadline:
                shown = f'; the screen shows "{instead()}"' if instead else ""
                raise Trouble(f"waited {WAIT_S:.0f} s in vain until {what}{shown}")
            await asyncio.sleep(0.05)

    async def live(self, every_s: float) -> None:
        """A parcel every so often, for ever. The screen is left alone while a visitor uses it."""
        while True:
            try:
                await self._one_life(every_s)
            except (Trouble, OSError, StopIteration) as trouble:
                log.info("pretend_people_wait", reason=str(trouble))
                await asyncio.sleep(every_s)

    async def _one_life(self, every_s: float) -> None:
        told = await self.order()
        self.demo.followed = Followed(told.reference, told.station, told.track)
        self.say(f"A shop orders {told.reference} to {told.station}.")
        for mark in ("accepted", "out_for_delivery"):
            await asyncio.sleep(every_s / 2)
            await self.report(told, mark)
        async with self.before(told.station):
            door = await self.deposit(told)
        self.say(f"The courier puts {told.reference} behind door {door} of {told.station}.")
        mail = await self.read_mail(told)
        own = OWN_PAGE.search(mail.text)
        self.demo.followed = Followed(told.reference, told.station, told.track, door, own[0] if own else "")
        await asyncio.sleep(every_s * 2)
        async with self.before(told.station):
            await self.collect(told, mail)
        self.say(f"{told.to.split('.')[0].capitalize()} takes {told.reference} out of door {door} of {told.station}.")
        await asyncio.sleep(every_s)  # time to look at it

    @asynccontextmanager
    async def before(self, station: str) -> AsyncIterator[None]:
        """A place before a station's screen, when nobody else stands there."""
        async with self._queues.setdefault(station, asyncio.Lock()):
            kiosk = (self.demo.stations.get(station) or self.demo.around[station]).station.kiosk
            while kiosk.showing.screen not in AT_REST:
                await asyncio.sleep(0.5)
            kiosk.home()
            yield
