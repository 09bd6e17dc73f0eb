"""People at the operator's console: each with a browser and a device of their own that makes passkeys."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from acceptance.browsing import DESK, Watched, sync_api, visitor
from acceptance.running import Town
from acceptance.shop import until

DEVICE = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
          "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
WHY = "damaged"
SLOW_LINE = {"offline": False, "latency": 300, "downloadThroughput": 50_000, "uploadThroughput": 50_000}  # 400 kbit/s


class Desk(Watched):
    """One person's browser at the console."""

    url: str

    def open(self, path: str, status: int = 200) -> "Desk":
        self.go(self.url + path, status)
        return self

    def enter(self, who: str) -> "Desk":
        """As one of the demo's people."""
        return self.open(f"/enter?who={who}").live_console()

    def live_console(self) -> "Desk":
        self.live()
        return self

    def press(self, words: str, within: str = "main") -> "Desk":
        """A button, and the page that it leads to."""
        with self.page.expect_navigation():
            self.page.locator(within).get_by_role("button", name=words).first.click()
        return self

    def said(self, words: str) -> "Desk":
        """What came of the last act."""
        sync_api.expect(self.page.locator(".said").first).to_contain_text(words)
        return self

    def plug_in_device(self) -> Any:
        """From now on this browser has a device that makes and shows passkeys. Answers the wire to it."""
        wire = self.page.context.new_cdp_session(self.page)
        wire.send("WebAuthn.enable")
        device = wire.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]
        self.verifies = lambda yes: wire.send(
            "WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": yes}
        )
        held = lambda: wire.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]  # noqa: E731
        self.signs = lambda: sum(each["signCount"] for each in held())
        return wire

    def find(self, words: str) -> "Desk":
        """A search by exactly these words, which leads to the one parcel that is meant."""
        self.open("/console/parcels")
        self.page.locator("input[name=asked]").fill(words)
        return self.press("Find")

    def ask_to_open(self, station: str, door: int, why: str = WHY, words: str = "it smells") -> "Desk":
        """The form of one door, filled in and sent."""
        self.open(f"/console/stations/{station}?door={door}")
        form = self.page.locator(f"#open-{door}")
        form.locator("select[name=reason]").select_option(why)
        form.locator("input[name=words]").fill(words)
        with self.page.expect_navigation():
            form.get_by_role("button", name=f"Open door {door}").click()
        return self


@contextmanager
def office(browser: Any, town: Town, size: dict[str, int] = DESK) -> Iterator[Any]:
    """Opens a console page of somebody by calling it; passkeys belong to a name, so the hub is called by one."""
    with visitor(browser, size) as pages:

        def sit_down() -> Desk:
            desk: Desk = pages(Desk)
            desk.url = town.demo.url.replace("127.0.0.1", "localhost")
            return desk

        yield sit_down


def shut(town: Town, station: str, door: int) -> None:
    """Somebody stands there and pushes it shut, again if it did not catch."""
    here = town.demo.stations[station]

    def seen_shut() -> bool:
        here.boards.push_closed(door)
        return here.station.kiosk.showing.screen not in ("open", "still-open")

    until(seen_shut, "the station sees it shut")
    town.leave(station)


def pulses(town: Town, station: str) -> int:
    """How often a lock was driven there."""
    return len(town.demo.stations[station].boards.core.pulses)
