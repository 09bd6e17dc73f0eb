"""The pass that lets one browser in, and a disk that has no room for the next one."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from parcelwall.clock import VirtualClock
from parcelwall.ids import seeded
from parcelwall.web.kiosk import Gate, PassFile, kiosk_app
from parcelwall.web.reader import renderer
from station.rig import Rig

HOST = "127.0.0.1:8080"


def a_gate(file: PassFile, seed: int = 1, host: str = HOST) -> Gate:
    return Gate(seeded(VirtualClock(datetime(2026, 11, 27, tzinfo=UTC)), seed), host, on_pass=file.write,
                before=file.read())  # fmt: skip


def once(file: PassFile) -> str:
    return file.read().partition("?once=")[2]


def fill_up(file: PassFile) -> Path:
    """From now on the kernel itself says that no space is left on this device."""
    beside = file.path.with_name(file.path.name + ".new")
    beside.symlink_to("/dev/full")
    return beside


@pytest.fixture
def file(tmp_path: Path) -> PassFile:
    return PassFile(tmp_path / "kiosk.url")


def test_a_pass_lets_one_browser_in_once(file: PassFile) -> None:
    gate = a_gate(file)
    first = once(file)
    assert gate.redeem(first)
    assert not gate.redeem(first)
    assert gate.redeem(once(file))
    assert file.path.stat().st_mode & 0o077 == 0, "for the station's account alone"


def test_on_a_full_disk_the_pass_that_stands_in_the_file_stays_good(file: PassFile) -> None:
    gate = a_gate(file)
    handed = once(file)
    full = fill_up(file)
    with capture_logs() as lines:
        assert gate.redeem(handed), "the browser comes in"
    assert [line["event"] for line in lines] == ["kiosk_url_not_written"]
    assert "No space left" in lines[0]["reason"]
    assert once(file) == handed, "nothing half written"
    assert gate.redeem(handed), "and in again, after a start of the browser"
    full.unlink()
    assert gate.redeem(handed)
    assert once(file) != handed
    assert not gate.redeem(handed), "there is room: it was the last time"
    assert gate.redeem(once(file))


def test_a_station_that_starts_on_a_full_disk_lets_the_browser_in(file: PassFile) -> None:
    a_gate(file)
    fill_up(file)
    gate = a_gate(file, seed=2)
    assert gate.redeem(once(file))
    assert not gate.redeem("")


def test_the_address_of_another_port_is_not_taken_over(file: PassFile) -> None:
    a_gate(file)
    fill_up(file)
    gate = a_gate(file, seed=2, host="127.0.0.1:8081")
    assert not gate.redeem(once(file))


async def test_a_browser_without_a_pass_shows_what_to_do_and_programs_are_told_nothing(
    file: PassFile, tmp_path: Path
) -> None:  # fmt: skip
    rig = await Rig(tmp_path).start()
    await rig.inside("PW-1")
    transport = httpx.ASGITransport(kiosk_app(rig.station, renderer(), a_gate(file)))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as browser:
        reads = {"Accept": "text/html,*/*;q=0.8"}
        for path in ("/", "/begin?once=stale"):
            shown = await browser.get(path, headers=reads)
            assert (shown.status_code, shown.headers["content-type"]) == (404, "text/html; charset=utf-8")
            assert "This screen has to be opened anew" in shown.text and "kiosk.url" in shown.text
            assert "PW-1" not in shown.text and "<button" not in shown.text
        no_page = (("GET", "/", {}), ("GET", "/", {**reads, "Host": "evil.example"}), ("GET", "/screen/events", reads),
                   ("POST", "/code", {**reads, "Content-Type": "application/x-www-form-urlencoded"}))  # fmt: skip
        for method, path, headers in no_page:
            told = await browser.request(method, path, headers=headers)
            assert (told.status_code, told.json()["reason"]) == (404, "not_found")
    await rig.stop()
