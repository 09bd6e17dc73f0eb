"""What somebody has unfolded, typed or begun while news comes: it stays, and stays with the thing it is about."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from parcelwall.hub.watching import AtAGlance
from parcelwall.web.console.crowd import thinned
from parcelwall.web.console.overview import pin_of
from parcelwall.web.map import town
from parcelwall.web.render import TEMPLATES
from parcelwall.web.views import Pad
from web import samples, samples_console
from web.gallery import CHROMIUM, Gallery, served, words_of

sync_api = pytest.importorskip("playwright.sync_api")
browsers = pytest.mark.skipif(not Path(CHROMIUM["executable_path"]).exists(), reason="needs chromium-headless-shell")
ENGLISH = words_of("en")
NEWS, OPEN = "A word of news", "(folds) => folds.map((fold) => fold.open)"
CLOSES = "details.fold form[action$='/close']"


@pytest.fixture(scope="module")
def gallery() -> Iterator[tuple[Gallery, str]]:
    shown = Gallery()
    with served(shown) as address:
        yield shown, address


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(**CHROMIUM)
        page = started.new_page(reduced_motion="reduce", viewport={"width": 1280, "height": 800})
        page.set_default_timeout(15_000)
        yield page
        started.close()


def opened(page: Any, address: str, name: str) -> Any:
    page.goto(f"{address}/{name}")
    page.wait_for_function("() => document.getElementById('live')._htmx?.sse")
    return page


@browsers
def test_a_form_closes_the_case_that_its_row_names(page: Any, gallery: tuple[Gallery, str]) -> None:
    shown, address = gallery
    sample = samples_console.all_pages(ENGLISH)["console-needs"]
    second, kept, gone, paper = sample.rows
    dearer = samples_console.need("reported_damaged", "waits", case=second.need.act.id)
    opened(page, address, "console-needs")
    row = page.locator(".need", has_text=kept.words)
    for each in (kept, gone):
        page.locator(".need", has_text=each.words).locator("[id^=close-] > summary").click()
    row.locator("[name=outcome]").fill("found it")
    shown.change("console-needs", msgspec.structs.replace(sample, rows=(second, dearer, kept, paper)))
    page.locator(".need", has_text=dearer.words).wait_for()
    sync_api.expect(page.locator(".need", has_text=gone.words)).to_have_count(0)
    for each in (dearer, kept):
        form = page.locator(".need", has_text=each.words).locator(CLOSES)
        assert form.get_attribute("action") == f"/console/cases/{each.need.case}/close", each.words
    assert row.locator("[name=outcome]").input_value() == "found it" and row.locator("details[open]").count() == 1
    assert page.locator("details[open]").count() == 1, "what belonged to a closed case has gone with it"


@browsers
def test_a_door_s_form_says_what_is_true_now_and_keeps_what_is_typed(page: Any, gallery: tuple[Gallery, str]) -> None:
    shown, address = gallery
    sample = samples_console.station(ENGLISH, 1)
    door = sample.chosen.door

    def now(line: str, parcel: Any) -> None:
        behind = msgspec.structs.replace(sample.chosen, door=msgspec.structs.replace(door, parcel=parcel))
        glance: AtAGlance = msgspec.structs.replace(sample.glance, line=line)
        shown.change("console-station", msgspec.structs.replace(sample, glance=glance, chosen=behind))

    now("quiet", None)
    form = opened(page, address, "console-station").locator(f"#open-{door.number}")
    button = form.get_by_role("button")
    sync_api.expect(button).to_be_disabled()
    form.locator("[name=reason]").select_option("look")
    form.locator("[name=words]").fill("it smells")
    now("here", samples_console.AN_ID)
    sync_api.expect(button).to_be_enabled()
    sync_api.expect(form).to_contain_text("Somebody's parcel is inside.")
    sync_api.expect(form).not_to_contain_text("Not while it is silent")
    assert (form.locator("[name=reason]").input_value(), form.locator("[name=words]").input_value()) == (
        "look", "it smells")  # fmt: skip
    now("quiet", None)
    sync_api.expect(button).to_be_disabled()


@browsers
def test_digits_of_one_pad_are_not_those_of_another(page: Any, gallery: tuple[Gallery, str]) -> None:
    shown, address = gallery
    home = samples.all_views(ENGLISH)["kiosk-home"]
    opened(page, address, "kiosk-home")
    for digit in "471":
        page.locator(f"[data-key='{digit}']").click()
    shown.change("kiosk-home", msgspec.structs.replace(home, number=8, presence="512"))
    page.get_by_text("512").wait_for()
    filled = page.locator("[data-slot]:not(:empty)")
    assert filled.count() == 3, "the same pad, drawn anew"
    courier = msgspec.structs.replace(home, id="courier-in", number=9, pad=Pad(post="/sign-in"))
    shown.change("kiosk-home", courier)
    page.locator("main[data-screen='courier-in']").wait_for()
    sync_api.expect(filled).to_have_count(0)


@browsers
def test_a_phone_that_changes_its_network_keeps_what_is_unfolded(page: Any, gallery: tuple[Gallery, str]) -> None:
    shown, address = gallery
    sample = samples.all_views(ENGLISH)["me-ready"]
    opened(page, address, "me-ready").evaluate("window.loaded = 'once'")
    page.locator("summary", has_text="I am here").click()
    page.locator("#number").fill("47")
    page.evaluate("dispatchEvent(new Event('offline'))")
    sync_api.expect(page.locator("#number")).to_be_disabled()
    page.evaluate("dispatchEvent(new Event('online'))")
    sync_api.expect(page.locator("#number")).to_be_enabled()
    sync_api.expect(page.locator("#saved")).to_be_hidden()  # the stream has brought what is now
    assert page.evaluate("window.loaded") == "once" and page.locator("#number").input_value() == "47"
    shown.change("me-ready", msgspec.structs.replace(sample, can_open=False))
    sync_api.expect(page.locator("#number")).to_have_count(0)
    assert page.locator("details[open]").count() == 0, "no other fold is open in its place"


@browsers
def test_a_stream_whose_sign_in_has_ended_asks_for_the_page_once(page: Any, gallery: tuple[Gallery, str]) -> None:
    shown, address = gallery
    opened(page, address, "console-map")
    with page.expect_navigation():
        shown.sign_out()
    assert page.url == f"{address}/console-map", "which is answered with the way to the sign-in page"
    shown.signed_out = False


@pytest.mark.slow
@browsers
def test_a_page_that_finds_no_seat_shows_what_there_is_and_asks_as_seldom_as_it_is_told(
    page: Any, gallery: tuple[Gallery, str]
) -> None:
    shown, address = gallery
    shown.crowded_s, sample = 5.0, samples_console.all_pages(ENGLISH)["console-needs"]
    page.goto(f"{address}/console-needs")
    page.wait_for_function("() => document.getElementById('live')._htmx?.sse?.attempt == 1")
    shown.change("console-needs", msgspec.structs.replace(sample, rows=sample.rows[:1]))
    sync_api.expect(page.locator(".need")).to_have_count(1, timeout=15_000)
    shown.crowded_s = 0.0
    first, second, *_ = shown.asked_at["console-needs"]
    assert second - first > 3, "htmx alone would have come again within 2.6 s, and every 2.6 s from then on"


@browsers
@pytest.mark.parametrize("name", ["me-ready", "me-ready-friend", "console-station"])
def test_a_fold_is_its_reader_s_whatever_news_come(page: Any, gallery: tuple[Gallery, str], name: str) -> None:
    """Beside other work the first news come when somebody has already tapped: what they unfolded fell shut again."""
    shown, address = gallery
    sample = {**samples.all_views(ENGLISH), **samples_console.all_pages(ENGLISH)}[name]
    shown.change(name, sample)
    folds = opened(page, address, name).locator("details")
    for fold in folds.all():
        fold.locator("summary").first.click()
    turned, focused = folds.evaluate_all(OPEN), page.evaluate("document.activeElement.textContent")
    told = {"notice": NEWS} if name.startswith("me-") else {"top": msgspec.structs.replace(sample.top, said=NEWS)}
    shown.change(name, msgspec.structs.replace(sample, **told))
    page.get_by_text(NEWS).wait_for()
    assert folds.evaluate_all(OPEN) == turned and True in turned
    assert page.evaluate("document.activeElement.textContent") == focused != ""


def test_what_news_must_not_touch_has_a_name_of_its_own() -> None:
    """Without an id htmx takes the next element of that tag for it, and what is skipped then belongs to another row,
    and so is a fold that was opened."""
    pages = "".join(path.read_text() for path in TEMPLATES.rglob("*.html"))
    tags = re.findall(r"<[a-z][^\n]*?hx-morph-skip(?!-)[^\n]*?>", pages)
    folds = re.findall(r"<details[^>]*>", pages)
    assert len(folds) > 15 and [fold for fold in folds if ' id="' not in fold] == []
    named = [tag[tag.rindex("<", 0, tag.index("hx-morph-skip")) :] for tag in tags]
    assert len(named) > 10 and [tag for tag in named if not re.search(r'\bid="', tag)] == []


@browsers
def test_who_has_come_closer_to_a_crowded_map_stays_there(page: Any, gallery: tuple[Gallery, str]) -> None:
    """Dots become rings as one comes closer, also by touching one, and news leave it so; "All" is the whole again."""
    shown, address = gallery
    sample = samples_console.all_pages(ENGLISH)["console-map"]
    many = [samples_console.glance(nth, f"P {nth}", 60.165 + nth % 12 / 2000, 24.935 + nth / 8000) for nth in range(96)]
    pins = thinned([pin_of(each, town()) for each in many], 1.5)
    crowded = msgspec.structs.replace(sample, rows=tuple(many), pins=pins)
    shown.change("console-map", crowded)
    opened(page, address, "console-map")
    dots = page.locator(".pin-dot")
    at_first = dots.count()
    assert at_first == sum(pin.shape == "dot" for pin in pins) > 40
    page.locator("[data-zoom=in]").click()
    closer = dots.count()
    assert closer < at_first
    dots.first.dispatch_event("click")
    assert page.url.endswith("/console-map"), "a dot leads closer, not away"
    closest = dots.count()
    assert closest < closer
    shown.change("console-map", msgspec.structs.replace(crowded, inside=4711))
    page.locator("dd", has_text="4711").wait_for()
    sync_api.expect(dots).to_have_count(closest)
    page.locator("[data-zoom=all]").click()
    sync_api.expect(dots).to_have_count(at_first)


@browsers
def test_what_was_not_heard_of_for_ten_seconds_is_grey_until_there_is_a_word(
    page: Any, gallery: tuple[Gallery, str]
) -> None:
    """A line that is cut without a word makes no error: the page's own clock goes on, and nothing comes."""
    shown, address = gallery
    fresh = page.context.browser.new_page()
    fresh.clock.install()
    fresh.add_init_script("addEventListener('htmx:sse:after:message', () => { window.told = (window.told ?? 0) + 1; })")
    for name in ("console-wall", "console-map"):
        opened(fresh, address, name).wait_for_function("() => window.told")
        band, grey = fresh.locator("#lost-news"), fresh.locator("body.is-lost")
        fresh.clock.fast_forward(8_000)
        sync_api.expect(band).to_be_hidden()
        fresh.clock.fast_forward(4_000)
        sync_api.expect(band).to_be_visible()
        assert band.evaluate("each => Boolean(each.closest('main, aside'))"), "who goes from part to part comes by it"
        sync_api.expect(grey).to_have_count(1)
        shown.still_true()
        sync_api.expect(band).to_be_hidden()
        sync_api.expect(grey).to_have_count(0)
    before = shown.streams
    fresh.clock.fast_forward(30_000)
    fresh.wait_for_timeout(1_200)
    fresh.clock.fast_forward(1_000)  # htmx waits a moment before it asks again
    sync_api.expect(band).to_be_hidden()
    assert shown.streams == before + 1, "and a line that stays silent is begun anew"
    fresh.close()


@browsers
@pytest.mark.parametrize("name", ["me-ready", "track-sentence", "courier-stop"])
def test_a_phone_s_page_says_that_it_may_be_old_and_goes_on_by_itself(
    page: Any, gallery: tuple[Gallery, str], name: str
) -> None:
    """No word for 40 s, four times a minute there is one. Nothing that somebody does there is taken away meanwhile."""
    shown, address = gallery
    context = page.context.browser.new_context(viewport={"width": 390, "height": 844}, service_workers="block")
    fresh = context.new_page()
    fresh.clock.install()
    fresh.add_init_script("addEventListener('htmx:sse:after:message', () => { window.told = (window.told ?? 0) + 1; })")
    opened(fresh, address, name).wait_for_function("() => window.told")
    words = "the hub has not answered" if name.startswith("courier") else "No connection just now"
    said, old = fresh.get_by_text(words).first, fresh.locator("body[data-old]")
    fresh.clock.fast_forward(30_000)
    sync_api.expect(old).to_have_count(0)
    fresh.clock.fast_forward(15_000)
    sync_api.expect(said).to_be_visible()
    assert fresh.locator("main button:disabled, main input:disabled").count() == 0
    told = fresh.evaluate("() => window.told")
    shown.still_true()
    fresh.wait_for_function(f"() => window.told > {told}")
    sync_api.expect(said).to_be_hidden()
    before = shown.streams
    fresh.clock.fast_forward(70_000)
    fresh.wait_for_timeout(300)
    fresh.clock.fast_forward(2_000)  # htmx waits a moment before it asks again
    sync_api.expect(old).to_have_count(0)
    assert shown.streams == before + 1, "a line that stays silent is begun anew"
    context.close()


@browsers
def test_a_new_case_sounds_for_who_wants_it_and_for_nobody_else(page: Any, gallery: tuple[Gallery, str]) -> None:
    shown, address = gallery
    fresh = page.context.browser.new_context().new_page()
    fresh.clock.install()
    opened(fresh, address, "console-needs")
    fresh.evaluate("() => { window.heard = 0; document.addEventListener('chime', () => window.heard++); }")
    sample = samples_console.all_pages(ENGLISH)["console-needs"]

    def heard(needs: int) -> int:
        fresh.clock.fast_forward(6_000)
        top = msgspec.structs.replace(sample.top, needs=needs)
        shown.change("console-needs", msgspec.structs.replace(sample, top=top))
        fresh.wait_for_function(f"() => document.querySelector('[data-needs]').dataset.needs === '{needs}'")
        return int(fresh.evaluate("() => window.heard"))

    assert heard(5) == 0, "it is off until somebody wants it"
    fresh.locator("#chime").click()
    fresh.wait_for_function("() => window.heard === 1")  # so that one hears what it is
    assert [heard(needs) for needs in (6, 5, 5, 7)] == [2, 2, 2, 3], "for more, not for fewer"
    fresh.locator("#chime").click()
    assert heard(9) == 3
    fresh.context.close()


@browsers
def test_of_many_boxes_those_that_are_shown_are_chosen_at_once(page: Any, gallery: tuple[Gallery, str]) -> None:
    shown, address = gallery
    page.goto(f"{address}/console-people")
    areas = page.locator("#person-timo fieldset.areas")
    assert areas.locator(".pick-tools").is_hidden(), "two are seen at a glance"
    people = samples.all_views(ENGLISH)["console-people"]
    many = (*people.stations, *((f"S-{n:04}", f"Hill {n}") for n in range(20, 30)))  # type: ignore[attr-defined]
    shown.change("console-people", msgspec.structs.replace(people, stations=many))
    page.goto(f"{address}/console-people")
    chosen = lambda: areas.locator("input:checked").evaluate_all("all => all.map(each => each.value)")  # noqa: E731
    assert chosen() == ["S-0012"]
    areas.locator("[data-pick-filter]").fill("simon")
    sync_api.expect(areas.locator(".check:visible")).to_have_count(2)  # what is chosen stays in sight
    areas.get_by_role("button", name="Choose none").click()
    sync_api.expect(areas.locator(".check:visible")).to_have_count(1)
    areas.get_by_role("button", name="Choose all").click()
    assert chosen() == ["S-0013"]
    areas.locator("[data-pick-filter]").press("Enter")
    assert page.url.endswith("/console-people"), "the filter sends no form"
