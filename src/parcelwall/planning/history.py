"""The hub's journal as planning reads it: one story for each parcel, and columns of them in each station's clock.

Read over the hub's own database, in one read-only transaction; nothing is written to the journal. People are not read:
a recipient is the number of an id, kept in memory alone, and no table that is written names one.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import asyncpg
import msgspec
import numpy as np

from parcelwall.journal import postgres
from parcelwall.planning.records import EPOCH, Floats, Ints, Records, Row, from_rows
from parcelwall.rules import facts
from parcelwall.rules.layout import Layout
from parcelwall.rules.places import read_room
from parcelwall.rules.sentence import ON_THE_WAY
from parcelwall.rules.tables import AdmissionRow, Told, VisitCalendar, of_no_use

KINDS = ("Announced", "Reserved", "CarrierReported", "Deposited", "Collected", "TakenBack", "Cancelled", "Diverted",
         "WrittenOff", "Lapsed", "TableAdopted")  # fmt: skip
LASTING = ("StationConfigured", "AdmissionAdopted")  # these hold until the next of their name, however old they are
WINDOW_DAYS = 800
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_ROOMS = "SELECT id, record, room FROM station"


class Story(msgspec.Struct):
    """What the journal tells of one parcel. Times in UTC."""

    carrier: str = ""
    person: UUID | None = None
    station: str = ""
    announced: datetime | None = None
    known: list[tuple[str, datetime]] = []  # `announced`, `on_the_way`, `out_for_delivery`, `delayed`
    expected_then: list[datetime | None] = []  # when it was expected, as it stood at each of these
    deposited: datetime | None = None
    ended: datetime | None = None
    service: str = ""
    reserved: datetime | None = None
    first: str = ""  # the station of the first promise
    size: str = ""
    expected: datetime | None = None
    compartment: int = 0
    open: bool = False  # promised, and neither brought nor over
    told: Told | None = None  # what an offer had said of it
    told_at: str = ""  # of which station
    why: str = ""  # it was diverted
    lapsed: datetime | None = None  # the promise ended, and was not renewed


class History(msgspec.Struct):
    """Stories by parcel, each station's zone and layout, the calendars that were adopted, each with its time, the
    newest row of admission of each name, and the compartments that nothing can be put into now, by station."""

    stories: dict[UUID, Story]
    zones: dict[str, str]
    adopted: list[tuple[datetime, VisitCalendar]] = []
    layouts: dict[str, Layout] = {}
    rows: dict[str, AdmissionRow] = {}
    unusable: dict[str, frozenset[int]] = {}
    laid_out: dict[str, datetime] = {}  # when each station's compartments were last others than before


async def read(connection: asyncpg.Connection, now: datetime) -> History:
    """The stories of the last WINDOW_DAYS, as they were recorded by now, and what lasts."""
    history = History({}, {}, unusable=await unusable(connection))
    for kinds, since in ((KINDS, now - timedelta(days=WINDOW_DAYS)), (LASTING, LONG_AGO)):
        async for kind, at, parcel, body in postgres.of_kinds(connection, kinds, since):
            note(history, kind, at, parcel, body)
    return history


def note(history: History, kind: str, at: datetime, parcel: UUID | None, body: str) -> None:
    """One entry more. What nobody can read, nobody learns from; `verify` tells of it."""
    try:
        fact = facts.read(kind, body)
    except msgspec.DecodeError:
        return
    if fact is not None:
        _note(history, fact, at, parcel)


async def unusable(connection: asyncpg.Connection) -> dict[str, frozenset[int]]:
    """Compartments that are broken or held by a case, by station: of the rows that promises are counted by, so that a
    plan and a promise see the same doors."""
    found = {}
    for row in await connection.fetch(_ROOMS):
        room, layout = read_room(row["room"]), msgspec.json.decode(row["record"], type=facts.StationConfigured).layout
        bits = room.broken | room.held
        found[row["id"]] = frozenset(each.number for n, each in enumerate(layout.compartments) if bits >> n & 1)
    return found


def _note(history: History, fact: facts.Fact, at: datetime, parcel: UUID | None) -> None:
    if isinstance(fact, facts.StationConfigured):
        if history.layouts.get(fact.station, fact.layout).compartments != fact.layout.compartments:
            history.laid_out[fact.station] = at
        history.zones[fact.station], history.layouts[fact.station] = fact.zone, fact.layout
    elif isinstance(fact, facts.AdmissionAdopted):
        history.rows[fact.row.name] = fact.row
    elif isinstance(fact, facts.TableAdopted) and isinstance(fact.table, VisitCalendar):
        if of_no_use(fact.table):
            return
        history.adopted.append((at, fact.table))
    elif parcel is not None:
        _tell(history.stories.setdefault(parcel, Story()), fact, at)


def _tell(story: Story, fact: facts.Fact, at: datetime) -> None:
    if isinstance(fact, facts.Announced):
        story.carrier, story.person, story.announced = fact.carrier, fact.person, at
        story.service, story.expected = fact.service, fact.expected_at
        _learn(story, "announced", at)
    elif isinstance(fact, facts.CarrierReported):
        story.expected = fact.expected_at or story.expected
        if name := stage_of(fact.mark):
            _learn(story, name, at)
    elif isinstance(fact, facts.Reserved) and story.deposited is None:
        _promised(story, fact, at)
    elif isinstance(fact, facts.Deposited):
        story.station, story.deposited = fact.station, story.deposited or at
        story.compartment, story.open = fact.compartment, False
    elif isinstance(fact, facts.Lapsed):
        story.open, story.lapsed = False, at
    elif isinstance(fact, facts.Collected | facts.TakenBack | facts.WrittenOff | facts.Cancelled | facts.Diverted):
        story.ended, story.open = story.ended or at, False
        story.why = fact.reason if isinstance(fact, facts.Diverted) else story.why


def _learn(story: Story, name: str, at: datetime) -> None:
    story.known.append((name, at))
    story.expected_then.append(story.expected)


def _promised(story: Story, fact: facts.Reserved, at: datetime) -> None:
    story.station, story.size, story.open, story.lapsed = fact.station, fact.size, True, None
    story.expected = fact.expected_at or story.expected
    story.reserved, story.first = story.reserved or at, story.first or fact.station
    if fact.told is not None:
        story.told, story.told_at = fact.told, fact.station


def stage_of(mark: str) -> str:
    """What a calendar calls a carrier's mark; nothing for marks that tell of no way to a station."""
    if mark in ("delayed", "out_for_delivery"):
        return mark
    return "on_the_way" if mark in ON_THE_WAY else ""


class Columns(msgspec.Struct):
    """Records of the stories, the recipient of each row (-1: nobody known), and what was known when.

    `leads[station, carrier][known]`: when, in days of the station's clock, and the hours until the deposit.
    """

    records: Records
    person: Ints
    leads: dict[tuple[str, str], dict[str, tuple[Floats, Floats]]]


def columns(history: History) -> Columns:
    """The stories that name a station and a carrier. A parcel that ended without a deposit leaves the way when it is
    told so, and never lies there."""
    told = [story for story in history.stories.values() if story.station and story.carrier and story.announced]
    pairs = sorted(((_row(story, history.zones), story) for story in told), key=_order)
    people: dict[UUID, int] = {}
    person = [people.setdefault(story.person, len(people)) if story.person else -1 for _, story in pairs]
    return Columns(from_rows(row for row, _ in pairs), np.array(person, np.int64), _leads(told, history.zones))


def _order(pair: tuple[Row, Story]) -> tuple[datetime, datetime, str]:
    row = pair[0]
    return row.deposited or datetime.max, row.ready, row.carrier  # noqa: DTZ901, as `from_rows` has it


def _row(story: Story, zones: Mapping[str, str]) -> Row:
    zone = zone_of(story.station, zones)
    handed = next((at for name, at in story.known if name != "announced"), story.deposited or story.ended)
    deposited = story.deposited or story.ended
    assert story.announced is not None
    ready = min(story.announced, handed or story.announced)
    dwell_h = None
    if story.deposited and story.ended:
        dwell_h = max(0.0, (story.ended - story.deposited).total_seconds() / 3600)
    handed, deposited, ended = (at and _clock(at, zone) for at in (handed, deposited, story.ended))
    return Row(_clock(ready, zone), handed, deposited, ended, story.carrier, story.station, dwell_h)


def zone_of(station: str, zones: Mapping[str, str]) -> ZoneInfo:
    """The station's zone; UTC where the journal names none that this machine knows."""
    try:
        return ZoneInfo(zones.get(station, "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _clock(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def _leads(told: list[Story], zones: Mapping[str, str]) -> dict[tuple[str, str], dict[str, tuple[Floats, Floats]]]:
    found: dict[tuple[str, str], dict[str, tuple[list[float], list[float]]]] = {}
    for story in told:
        if story.deposited is None:
            continue
        zone, here = zone_of(story.station, zones), found.setdefault((story.station, story.carrier), {})
        for name, at in dict(reversed(story.known)).items():  # the first of each name
            if at <= story.deposited:
                days, hours = here.setdefault(name, ([], []))
                days.append((_clock(at, zone) - EPOCH).total_seconds() / 86400)
                hours.append((_clock(story.deposited, zone) - _clock(at, zone)).total_seconds() / 3600)
    return {key: {name: (np.array(days), np.array(hours)) for name, (days, hours) in of.items()}
            for key, of in found.items()}  # fmt: skip
