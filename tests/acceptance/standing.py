"""Somebody who stands at a station of the running town, with its screen in a real browser: taps and moments noted."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from acceptance.browsing import DESK, KioskPage, visitor
from acceptance.courier_phone import seen
from acceptance.running import Town
from acceptance.shop import Shop, until
from parcelwall.simulation.demo import COURIER
from parcelwall.simulation.people import CODE, Told

NOTE = """window.taps = 0; window.firstTap = 0; window.moments = [];
addEventListener("pointerdown", (event) => {
  if (event.isTrusted) { window.taps += 1; window.firstTap ||= Date.now(); }
}, true);
new MutationObserver(() => {
  const main = document.querySelector("main[data-screen]"), last = window.moments.at(-1);
  if (main && main.dataset.screen !== last?.[0]) window.moments.push([main.dataset.screen, Date.now()]);
}).observe(document, { subtree: true, childList: true, attributes: true });"""
"""By the machine's own clock, so that whoever asks later is told the right moment."""


class Noted:
    """What one flow took: taps, and seconds from the first touch or scan until the door was seen open, and until the
    screen said that it was done."""

    def __init__(self, taps: int, open_s: float, done_s: float) -> None:
        self.taps, self.open_s, self.done_s = taps, open_s, done_s


class Standing:
    """At one station of `town`. What it does, it does at once: its seconds are the machine's."""

    def __init__(self, town: Town, station: str, kiosk: KioskPage) -> None:
        self.town, self.station, self.kiosk = town, station, kiosk
        self.here = town.demo.stations[station]
        self._began_ms = 0.0

    def home(self) -> None:
        """Nobody stands there any more, and the page shows it."""
        self.town.leave(self.station)
        self.kiosk.screen("home")

    def begin(self, scans: str = "") -> None:
        """From here on taps and seconds count: from the scan, or else from the first touch."""
        self.kiosk.page.evaluate("() => { window.taps = 0; window.firstTap = 0; window.moments = []; }")
        self._began_ms = time.time() * 1000 if scans else 0.0
        if scans:
            self.scan(scans)

    def begin_at(self, moment_ms: float) -> None:
        """Seconds count from a moment on another device, by the machine's clock."""
        self._began_ms = moment_ms

    def scan(self, text: str) -> None:
        self.town.run(self.here.station.kiosk.scanned(text))

    def shut(self, then: str) -> None:
        """Pushes until the door catches, which it does not while its coil is driven."""

        door = int(self.kiosk.screen("open").door)

        def pushed() -> bool:
            self.here.boards.push_closed(door)
            return bool(self.here.station.kiosk.showing.screen == then)

        until(pushed, f"the station shows {then}")
        self.kiosk.screen(then)

    def noted(self, then: str, last: bool = False) -> Noted:
        """What it took until the screen `then` came first, or last; the (first) door was open with "open"."""
        told = self.kiosk.page.evaluate("() => ({ taps: window.taps, first: window.firstTap, all: window.moments })")
        began = self._began_ms or told["first"]
        came = [(screen, (moment - began) / 1000) for screen, moment in told["all"]]
        first, latest = dict(reversed(came)), dict(came)
        return Noted(told["taps"], first.get("open", 0.0), (latest if last else first)[then])

    def sign_in(self, operator: Shop) -> None:
        self.town.run(self.here.station.kiosk.sign_in(operator.courier_code(self.station, COURIER)))


@contextmanager
def standing(browser: Any, town: Town, station: str) -> Iterator[Standing]:
    """Somebody before the screen of this station; at the end nobody is, and the browser had nothing to complain of.

    No wrong try is remembered: the town is shared, and whoever was here before may have left four of the five."""
    town.leave(station)
    town.forgive(station)
    with visitor(browser, DESK) as pages:
        kiosk = pages(KioskPage)
        kiosk.page.add_init_script(NOTE)
        kiosk.go(town.demo.stations[station].kiosk_url)
        kiosk.live().screen("home")
        yield Standing(town, station, kiosk)
        town.leave(station)
        assert kiosk.faults == []


def code_of(town: Town, told: Told) -> str:
    """The digits in the parcel's own mail."""

    def in_the_mail() -> str:
        mine = [mail.text for mail in town.demo.sink.mails() if mail.to == told.to]
        found = next((CODE.search(text) for text in reversed(mine) if told.reference[-4:] in text), None)
        return found[1] + found[2] if found else ""

    return str(until(in_the_mail, "the mail tells the code"))


def qr_of(page: Any) -> str:
    """What the reader at the station reads off this phone."""
    _, text = seen(page.locator(".qr"))
    assert text.startswith("PW1:")
    return str(text)


def ready(town: Town, station: str) -> tuple[Told, str]:
    """A parcel that lies there, and the text of its mail. Whoever brought it has gone."""
    town.leave(station)
    told, text = town.waiting_at(station)
    town.leave(station)
    return told, text


def expected(town: Town, station: str, shop: Shop, **about: Any) -> dict[str, Any]:
    """A parcel that the station has heard of."""
    told = shop.announce(destination={"station_id": station}, **about)
    until(lambda: town.expects(station, told["reference"]), "the station expects it")
    return told


def link_in(letter: str) -> str:
    """What a mail leads to."""
    found = re.search(r"https?://\S+/p/\S+", letter)
    assert found
    return found[0]
