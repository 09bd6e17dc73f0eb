"""A town whose day goes fast: five faces side by side follow a parcel, and its books stay whole."""

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from acceptance.browsing import Watched, chromium, sync_api, visitor
from acceptance.shop import until
from parcelwall import clock as clocks
from parcelwall.simulation.check import check_books
from parcelwall.simulation.day import a_living_town, live

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SPEED = 60.0
WIDE = {"width": 1440, "height": 900}


class LivingTown:
    """Runs in a thread of its own, as a test's town does."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ready = folder, threading.Event()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=lambda: self.loop.run_until_complete(self._live()))
        self._thread.start()
        assert self.ready.wait(240), "the town does not start"

    async def _live(self) -> None:
        self._over = asyncio.Event()
        async with a_living_town(self.folder, 0, SPEED) as (self.demo, self.pace):
            living = asyncio.create_task(live(self.demo, self.pace, 3.0, lambda _: None))
            self.ready.set()
            await self._over.wait()
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)

    def run(self, job: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(job, self.loop).result(60)

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self._over.set)
        self._thread.join(60)


@pytest.fixture(scope="module")
def town() -> Iterator[LivingTown]:
    folder = Path(tempfile.mkdtemp(prefix="parcelwall-living-"))
    folder.chmod(0o711)
    running = LivingTown(folder)
    yield running
    running.end()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def test_five_faces_follow_one_parcel(town: LivingTown, browser: Any) -> None:
    began = town.demo.hub.clock.now()
    with visitor(browser, WIDE) as pages:
        page: Watched = pages(Watched)
        page.go(f"{town.demo.url}/demo")
        page.live()
        faces = page.page.locator("figure.framed iframe")
        sync_api.expect(faces).to_have_count(5, timeout=90_000)  # the recipient's page comes with their mail
        names = [each.inner_text() for each in page.page.locator("figcaption").all()]
        assert sorted(names) == ["Console", "Courier", "Kiosk", "Recipient", "Tracking"]
        followed = town.demo.followed
        assert followed and followed.door
        own = page.page.frame_locator("figure:has-text('Recipient') iframe")
        sync_api.expect(own.locator("header.top")).to_contain_text(followed.reference, timeout=20_000)
        track = page.page.frame_locator("figure:has-text('Tracking') iframe")
        sync_api.expect(track.locator("h1")).to_contain_text("Collected", timeout=60_000)
        console = page.page.frame_locator("figure:has-text('Console') iframe")
        sync_api.expect(console.locator("[aria-labelledby=chosen]")).to_contain_text(f"Door {followed.door}")
        passing = ("AudioContext", "net::ERR_ABORTED")  # nobody has touched the kiosk yet; a frame went to another page
        faults = [each for each in page.faults if not any(word in each for word in passing)]
        assert not faults, faults
    far = began + timedelta(minutes=20)
    until(lambda: town.demo.hub.clock.now() > far, "twenty minutes of the day have passed", within_s=60)


def test_deadlines_are_of_this_day_and_nobody_looks_silent(town: LivingTown) -> None:
    sql = "SELECT record::jsonb->>'collect_by' FROM parcel WHERE stage = 'READY'"
    now = town.demo.hub.clock.now()
    ends = [clocks.parse(row[0]) for row in town.run(town.demo.hub.pool.fetch(sql))]
    assert ends and all(now - timedelta(hours=1) < end < now + timedelta(hours=120) for end in ends)
    silent = "SELECT station FROM station_presence WHERE last_seen < $1"
    until(lambda: not town.run(town.demo.hub.pool.fetch(silent, now - timedelta(minutes=10))), "all are heard")


def test_a_slow_day_is_asked_for_and_kept(town: LivingTown, browser: Any) -> None:
    with visitor(browser, WIDE) as pages:
        page: Watched = pages(Watched)
        page.go(f"{town.demo.url}/demo")
        with page.page.expect_navigation():
            page.page.get_by_role("button", name="At its own pace").click()
        page.see("The day goes at its own pace.")
        until(lambda: town.pace.clock.pace == 1, "it goes slowly")
        with page.page.expect_navigation():
            page.page.get_by_role("button", name="60 times as fast").click()
        until(lambda: town.pace.clock.pace == SPEED, "it goes fast again", within_s=60)


def test_the_books_are_whole_after_it(town: LivingTown) -> None:
    town.loop.call_soon_threadsafe(lambda: setattr(town.pace, "wanted", False))
    computers = [each.station for each in (*town.demo.stations.values(), *town.demo.around.values())]

    async def told() -> bool:
        return not any(each.memory.unsent() for each in computers)

    until(lambda: town.run(told()), "the hub has heard all", within_s=60)
    assert town.run(check_books(town.demo.hub.pool, [each.memory for each in computers])) == []
