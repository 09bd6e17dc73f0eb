"""The journal: of one station leaf by leaf, with the chain of hashes, and of all stations in the order it came here."""

from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get
from litestar.params import Parameter

from parcelwall.errors import Refusal
from parcelwall.hub import pages_of_journal
from parcelwall.hub.house import Hub
from parcelwall.hub.pages_of_journal import NEWEST, Leaf, Place, Stream, Written
from parcelwall.hub.staff import SignIn
from parcelwall.journal import streams
from parcelwall.notices.language import Words, words
from parcelwall.web.console import said, telling
from parcelwall.web.console.gate import is_of_our_time, local_time, look, must, top
from parcelwall.web.console.views import Top
from parcelwall.web.reader import page
from parcelwall.web.render import Renderer

Number = Annotated[int, Parameter(ge=1, le=NEWEST)]
HOURS = (1, 6, 24, 168)  # that a page of all stations looks back
USUAL_HOURS = 24
OF_THE_OFFICE = ("Looked", "StaffChanged", "Forgotten")  # who looked at whom, and why: for who answers for people


class JournalView(msgspec.Struct, frozen=True):
    """A leaf of one station's journal. `kinds`: key and words of each kind of entry; `words`: of each entry of the leaf
    what happened, and what it tells besides."""

    template: ClassVar[str] = "console/journal.html"
    top: Top
    station: str
    name: str
    streams: tuple[Stream, ...]
    leaf: Leaf
    kinds: tuple[tuple[str, str], ...]
    kind: str
    may_find: bool
    words: tuple[tuple[str, str], ...] = ()
    until: str = ""
    """As in the form: what happened after it is left out."""
    events: str | None = None


class WrittenBy(msgspec.Struct, frozen=True):
    """One entry in the journal of all: who wrote it, and the station that it is of; "" for none."""

    writer: str
    station_name: str
    station: str
    entry: Written


class JournalOfAllView(msgspec.Struct, frozen=True):
    """What came from all stations of an area, newest first. `kinds`, `words` and `until` as in `JournalView`; `hours`:
    how far back it looks; `older`: the rest of the next leaf's address."""

    template: ClassVar[str] = "console/journal-all.html"
    top: Top
    rows: tuple[WrittenBy, ...]
    words: tuple[tuple[str, str], ...]
    kinds: tuple[tuple[str, str], ...]
    kind: str
    stations: tuple[tuple[str, str], ...]
    until: str
    hours: int
    all_hours: tuple[int, ...]
    older: str
    may_find: bool
    events: str | None = None


@get("/console/journal", include_in_schema=False)
async def journal_page(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer, station: str = "",
    writer: str = "", kind: str = "", before: Number = NEWEST, until: str = "",
) -> Response[bytes]:  # fmt: skip
    """Of one station, or of all. Raises Refusal for a station that is unknown or not in this person's area, and for a
    stream of another one."""
    kind = kind if kind in said.KIND else ""
    if not station:
        return await _of_all(request, sign_in, hub, renderer, kind, until)
    person = must(sign_in, "see", station)
    found = await pages_of_journal.streams_of(hub, station)
    stream = next((each for each in found if each.writer == writer), found[0] if found and not writer else None)
    if stream is None:
        raise Refusal("not_found")
    about = hub.stations.known[station].about
    shown, known = look(request, about.zone), words(look(request).language)
    moment = local_time(until, about.zone)
    if moment is not None:
        before = min(before, await pages_of_journal.reached(hub, stream, moment) + 1)
    leaf = await pages_of_journal.leaf(hub, stream, before, kind)
    view = JournalView(
        await top(request, hub, sign_in, "map"), station, about.name, tuple(found), leaf, _kinds(known), kind,
        person.may("find", station), words=_in_words(leaf.entries, known), until=until if moment else "",
    )  # fmt: skip
    return page(renderer, view, shown)


async def _of_all(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer, kind: str, until: str
) -> Response[bytes]:
    """As far as this person's area goes."""
    person, shown = must(sign_in, "see"), look(request)
    asked = request.query_params
    hours = int(asked.get("hours", "")) if asked.get("hours", "") in tuple(map(str, HOURS)) else USUAL_HOURS
    moment = local_time(until, shown.zone)
    ends = moment or hub.clock.now()
    since = ends - timedelta(hours=hours)
    without = () if person.may("people") else OF_THE_OFFICE
    leaf = await pages_of_journal.across(hub, person.area, since, _place(asked) or Place(ends), kind, without)
    until = until if moment else ""
    known, stations = words(shown.language), hub.stations.known
    named = {each.id: each.about.name for each in stations.values() if person.sees(each.id)}
    rows = [
        WrittenBy(writer, named.get(streams.station_of(writer) or "", ""), streams.station_of(writer) or "", entry)
        for writer, entry in leaf.entries
    ]  # fmt: skip
    view = JournalOfAllView(
        await top(request, hub, sign_in, "map"), tuple(rows), _in_words([row.entry for row in rows], known),
        _kinds(known), kind, tuple(sorted(named.items(), key=lambda each: each[1])), until, hours, HOURS,
        _link({"until": until, "hours": hours, "kind": kind}, leaf.older), person.may("find"),
    )  # fmt: skip
    return page(renderer, view, shown)


def _place(asked: Any) -> Place | None:
    """Where an earlier leaf ended, as its link says; None for what is no such place."""
    try:
        at, writer, number = datetime.fromisoformat(asked["at"]), str(asked["writer"]), int(asked["number"])
    except (KeyError, ValueError):
        return None
    is_one = at.tzinfo and is_of_our_time(at) and writer.isprintable() and 0 < number <= NEWEST
    return Place(at, writer, number) if is_one else None


def _link(asked: dict[str, Any], older: Place | None) -> str:
    """The rest of the address of the next leaf; "" where there is none."""
    if older is None:
        return ""
    return urlencode({**asked, "at": older.at.isoformat(), "writer": older.writer, "number": older.number})


def _kinds(known: Words) -> tuple[tuple[str, str], ...]:
    named = {key: known.gettext(text) for key, text in said.KIND.items()}
    return tuple(sorted(named.items(), key=lambda each: each[1]))


def _in_words(entries: Any, known: Words) -> tuple[tuple[str, str], ...]:
    return tuple(
        (telling.kind(each.kind, each.body, known), telling.detail(each.kind, each.body, known)) for each in entries
    )
