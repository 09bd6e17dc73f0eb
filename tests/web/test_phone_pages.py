"""Pages on phones that are left open, typed into in other scripts, read aloud, in other languages, in an update."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
import pytest_asyncio

from parcelwall.hub import accounts, contacts, reading, signed_in
from parcelwall.hub.house import Hub
from parcelwall.hub.lists import Block
from parcelwall.hub.preferred import Wishes
from parcelwall.hub.stations import heard
from parcelwall.notices.language import codes
from parcelwall.rules import facts
from parcelwall.rules.labels import plain_digits
from parcelwall.rules.life import Stage
from parcelwall.web import me_view, recipient_view
from parcelwall.web.app import hub_app
from parcelwall.web.passkeys import cookie_name
from parcelwall.web.reader import renderer
from parcelwall.web.render import Files
from parcelwall.web.streams import AS_OF_LASTS, drawn
from parcelwall.web.views import KioskScreen, Look, RecipientView, Verify
from rules.samples import parcel
from station.towns import ADA, NOW, Pen, a_hub, about, announced, parcel_at

HERE = "https://parcels.example"
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
RENDERER = renderer()


class Post:
    """A mail server that keeps the digits of what it was handed."""

    numbers = ""

    async def hand_over(self, person: Any, message: Any, message_id: str) -> None:
        self.numbers = "".join(re.findall(r"\d", message.subject))[:6]


@pytest_asyncio.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(database, tmp_path, stations=(about("S-0001"),)) as hub:
        hub.public_url, hub.channels = HERE, {"email": Post(), "sms": Post()}
        yield hub


@pytest_asyncio.fixture
async def browser(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(hub_app(hub)), base_url=HERE) as made:
        yield made


async def inside(hub: Hub, pen: Pen | None = None) -> UUID:
    """A parcel that waits at the station for two days."""
    parcel = await parcel_at(hub, await announced(hub, "PW-1", "S-0001", person=ADA))
    pen = pen or Pen("S-0001", hub.clock)
    await hub.receive("S-0001", pen.write(pen.deposited(parcel, 1, collect_by=NOW + timedelta(hours=48))))
    return parcel.id


async def seen(hub: Hub, which: UUID) -> RecipientView:
    return await recipient_view.view(hub, await parcel_at(hub, which), "secret", Look())


# left open ------------------------------------------------------------------------------------------------------------


async def test_a_page_that_is_only_looked_at_is_sent_once_in_ten_minutes(hub: Hub) -> None:
    which = await inside(hub)
    draw = drawn(lambda: seen(hub, which), RENDERER, Look())
    pages = set()
    hub.clock.advance(60)  # type: ignore[attr-defined]
    for _ in range(40 * 4):  # for forty minutes, each time the stream looks
        pages.add(await draw())
        hub.clock.advance(15)  # type: ignore[attr-defined]
    assert len(pages) == timedelta(minutes=40) / AS_OF_LASTS


async def test_news_are_drawn_at_once(hub: Hub) -> None:
    which = await inside(hub)
    draw = drawn(lambda: seen(hub, which), RENDERER, Look())
    hub.clock.advance(60)  # type: ignore[attr-defined]
    before = await draw()
    hub.clock.advance(3600)  # type: ignore[attr-defined]
    assert "47 hours" in before and "47 hours" not in await draw()


@pytest.mark.parametrize(("left", "shown"), [
    (timedelta(hours=41, minutes=59), timedelta(hours=41)), (timedelta(minutes=119), timedelta(minutes=115)),
    (timedelta(seconds=250), timedelta(minutes=4)), (timedelta(0), timedelta(0)), (-timedelta(hours=3), timedelta(0)),
])  # fmt: skip
def test_no_more_time_is_said_than_is_left(left: timedelta, shown: timedelta) -> None:
    waits = parcel(stage=Stage.READY, deposited_at=NOW - timedelta(hours=1), collect_by=NOW + left)
    assert recipient_view._left_and_total(waits, NOW)[0] == shown.total_seconds()


# what is so now -------------------------------------------------------------------------------------------------------


async def test_a_door_that_stands_open_is_not_offered_to_be_opened(hub: Hub) -> None:
    pen = Pen("S-0001", hub.clock)
    which = await inside(hub, pen)
    waits = await seen(hub, which)
    await hub.receive("S-0001", pen.write(facts.DoorOpened(compartment=1, visit=UUID(int=7))))
    opened = await seen(hub, which)
    assert (waits.can_open, opened.can_open) == (True, False) and opened.code == waits.code


async def test_what_nobody_may_collect_is_not_called_ready(hub: Hub) -> None:
    which = await inside(hub)
    await hub.desk.ask(Block(parcel=which, why="a dispute"))
    held = await seen(hub, which)
    assert (held.heading, held.line) == ("It is held back for now", "Ask the company that sent it.")
    assert not held.notice, "it would be said twice"
    assert (held.stage, held.collect_by, held.total_s, held.extension) == ("held", None, 0, None), "nobody's for longer"
    [row] = me_view._rows(hub, [await parcel_at(hub, which)], Look())
    assert (row.stage, row.heading, row.line) == ("held", held.heading, held.line)


async def test_while_the_time_is_paused_no_page_counts_it_down(hub: Hub) -> None:
    pen = Pen("S-0001", hub.clock)
    which = await inside(hub, pen)
    opened = {"parcel": which, "station": "S-0001", "compartment": 1}
    await hub.receive("S-0001", pen.write(facts.CaseOpened(case=UUID(int=8), about="reported_damaged", **opened)))
    counts = await seen(hub, which)
    await hub.receive("S-0001", pen.write(facts.CaseOpened(case=UUID(int=9), about="door_failed", **opened)))
    stands = await seen(hub, which)
    assert (counts.paused, counts.left_s > 0, bool(counts.collect_by)) == (False, True, True)
    assert (stands.paused, stands.left_s, stands.collect_by) == (True, 0, None)
    assert "Your time is paused until somebody has looked." in RENDERER.page(stands, Look())
    assert stands.case == counts.case, "of two cases the first is named"


# read aloud -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["open", "still-open"])
async def test_the_title_says_what_the_heading_says(hub: Hub, state: Any) -> None:
    view = await seen(hub, await inside(hub))
    assert view.door is not None
    door = msgspec.structs.replace(view.door, state=state)
    page = RENDERER.fragment(msgspec.structs.replace(view, door=door), Look())
    [title], [heading] = re.findall("<title>(.*) - Parcelwall", page), re.findall("<h1[^>]*>(.*)</h1>", page)
    assert title == heading and "open" in title


@pytest.mark.parametrize("step", ["passkey", "elsewhere", "show"])
async def test_why_a_passkey_failed_is_said_aloud_and_stays(hub: Hub, step: Any) -> None:
    view = msgspec.structs.replace(await seen(hub, await inside(hub)), verify=Verify(step))
    page = RENDERER.fragment(view, Look())
    regions = re.findall(r'<div id="([^"]+)" hx-morph-skip>(.*?)</div>', page, re.DOTALL)
    assert all(said.count("data-said=") == 3 for _, said in regions)
    assert len({name for name, _ in regions}) == page.count("data-passkey=") > 0


@pytest.mark.parametrize(("language", "said"), [("en", "One moment."), ("de", "Einen Moment.")])
def test_a_lost_screen_says_so_in_the_language_of_its_last_news(language: str, said: str) -> None:
    screen = KioskScreen("home", "Kluuvi", look=Look(language))
    assert f'<p id="lost-words" hidden>{said}</p>' in RENDERER.fragment(screen)


# typed in other scripts -----------------------------------------------------------------------------------------------


def test_digits_of_any_script_are_digits() -> None:
    typed = {"٠٤٧": "047", "۱۲۳": "123", "PW-٧F": "PW-7F", "12 3": "12 3", "x²": "x²"}
    assert [plain_digits(each) for each in typed] == list(typed.values())


async def test_what_was_sent_is_typed_on_an_arabic_keyboard(hub: Hub) -> None:
    which, account = await inside(hub), await accounts.open_account(hub)
    await contacts.send_number(hub, account, await parcel_at(hub, which), "email", "ar")
    shown = await contacts.confirm(hub, account, hub.channels["email"].numbers.translate(ARABIC))
    assert shown.parcel.id == which


async def test_so_is_a_parcels_number(hub: Hub) -> None:
    which = await inside(hub)
    found = await reading.by_reference(hub, "PW-1".translate(ARABIC))
    assert found and found.id == which


def test_so_are_the_numbers_that_a_page_asks_for() -> None:
    patterns = [re.search('pattern="([^"]+)"', (Path(recipient_view.__file__).parent / "templates/recipient" / name)
                .read_text()) for name in ("parts.html", "number.html")]  # fmt: skip
    for found, digits in zip(patterns, ("123", "123456"), strict=True):
        assert found and all(re.fullmatch(found[1], each) for each in (digits, digits.translate(ARABIC)))


# a mistyped number ----------------------------------------------------------------------------------------------------


async def test_a_wrong_check_digit_is_named_and_nothing_else(browser: httpx.AsyncClient) -> None:
    wrong, right = [await browser.get("/", params={"number": each}) for each in ("RB123456784GB", "RB123456785GB")]
    assert (wrong.status_code, right.status_code) == (404, 404)
    assert "One character is not right" in wrong.text and 'value="RB123456784GB"' in wrong.text
    assert "We find nothing under this number" in right.text


# a language -----------------------------------------------------------------------------------------------------------


async def test_a_language_that_was_chosen_is_the_next_pages_too(hub: Hub, browser: httpx.AsyncClient) -> None:
    which = await inside(hub)
    account = await accounts.open_account(hub)
    await accounts.join(hub, account, which)
    await accounts.parcels(hub, account)
    link = f"/p/{hub.keys.link_token('recipient', which)}"
    first = await browser.get(link)
    assert 'lang="en' in first.text[:80] and all(f'href="?lang={code}"' in first.text for code in codes())
    await browser.get(link, params={"lang": "pl"})
    assert 'lang="pl"' in (await browser.get(link)).text[:80]
    assert 'lang="pl"' in (await browser.get("/")).text[:80]
    odd = await browser.get("/", params={"lang": "xx; Path=/"})
    assert "set-cookie" not in odd.headers


# how somebody likes to be told ----------------------------------------------------------------------------------------


async def test_what_is_chosen_is_kept_and_shown(hub: Hub, browser: httpx.AsyncClient) -> None:
    account = await accounts.open_account(hub)
    browser.cookies.set(cookie_name(hub, "recipient"), await signed_in.begin(hub, "recipient", account))
    night = {"quiet": "yes", "quiet_from": "23", "quiet_until": "6"}
    odd = {"quiet": "yes", "quiet_from": "24", "quiet_until": "6"}
    for sent, told in (({"sms": "yes", **night}, Wishes(("sms",), (23, 6))), ({"sms": "yes", "email": "yes"}, Wishes()),
                       ({}, Wishes()), (night, Wishes((), (23, 6))), (odd, Wishes((), (23, 6)))):  # fmt: skip
        answer = await browser.post("/me/prefs", data={"language": "", **sent})
        known = await accounts.find(hub, account)
        assert known and known.told == told and answer.status_code == (400 if sent is odd else 303)
    page = (await browser.get("/me")).text
    assert '<option value="23" selected>23:00' in page and 'name="quiet" value="yes" checked' in page


# a station without a line ---------------------------------------------------------------------------------------------


async def test_while_its_station_is_alone_the_page_does_not_offer_to_open(hub: Hub) -> None:
    which = await inside(hub)
    async with hub.pool.acquire() as connection:
        await heard(connection, "S-0001", hub.clock.now(), hub.clock.now(), "1")
    assert not (await seen(hub, which)).alone
    hub.clock.advance(90)  # type: ignore[attr-defined]
    view = await seen(hub, which)
    page = RENDERER.fragment(view, Look())
    assert view.alone and 'action="/p/secret/open"' not in page and 'disabled aria-describedby="alone"' in page
    assert "This station works on its own now" in page and view.code


# an update ------------------------------------------------------------------------------------------------------------


async def test_a_page_of_another_build_has_style_and_script_and_keeps_neither(browser: httpx.AsyncClient) -> None:
    build = Files().build
    own, others = [await browser.get(f"/static/{each}/phone.css") for each in (build, "0" * 12)]
    assert own.content == others.content and "immutable" in own.headers["cache-control"]
    assert others.headers["cache-control"] == "no-store"
    for address in (f"/static/{build}/none.css", "/static/..%2f/phone.css", "/static/x/phone.css"):
        assert (await browser.get(address)).status_code == 404
