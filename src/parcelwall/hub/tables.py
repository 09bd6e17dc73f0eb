"""Tables of planning that operators adopted, as this process has read them, and the ready window told from them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from asyncpg import Connection

from parcelwall.hub.stations import OF_HUB
from parcelwall.rules import facts
from parcelwall.rules.admission import Rows
from parcelwall.rules.life import Parcel, Stage
from parcelwall.rules.sentence import ON_THE_WAY
from parcelwall.rules.tables import AdmissionRow, VisitCalendar, Window, of_no_use, ready_window, runs_late_h

_OURS = f"kind IN ('TableAdopted', 'AdmissionAdopted') AND {OF_HUB}"
# At a start the newest of each name alone: a row a night and station is many in a year.
_NEWEST = f"""
SELECT DISTINCT ON (kind, name) kind, body, recorded_at, writer, number FROM (
  SELECT kind, body, recorded_at, writer, number, coalesce(body::json #>> '{{row,name}}', concat_ws('/',
    body::json #>> '{{table,type}}', body::json #>> '{{table,station}}', body::json #>> '{{table,carrier}}')) AS name
  FROM entry WHERE {_OURS}) AS adopted
ORDER BY kind, name, recorded_at DESC, writer DESC, number DESC"""  # noqa: S608 - a text of our own
_SINCE = f"SELECT writer, number, recorded_at FROM entry WHERE {_OURS} AND recorded_at > $1"  # noqa: S608 - the same
_THESE = """
SELECT kind, body, recorded_at, entry.writer, entry.number FROM entry
JOIN unnest($1::text[], $2::bigint[]) AS these (writer, number) USING (writer, number)
ORDER BY recorded_at, writer, number"""
_LAST_MARK = """
SELECT body, happened_at FROM entry WHERE parcel = $1 AND kind = 'CarrierReported' ORDER BY revision DESC LIMIT 10"""
_FIRST_STOPS = """
SELECT body::json ->> 'station' AS station, min(happened_at) AS first FROM feed
JOIN entry ON entry.writer = feed.writer AND entry.number = feed.entry_number
WHERE carrier = $1 AND feed.number > coalesce(
    (SELECT number FROM feed WHERE carrier = $1 ORDER BY number DESC OFFSET $3 LIMIT 1), 0)
  AND kind = 'Deposited' AND happened_at >= $2 GROUP BY 1"""
OVERLAP = timedelta(hours=1)  # a transaction that began earlier may commit later, and processes' clocks differ
Place = tuple[datetime, str, int]  # of an entry: when it was recorded, its writer, its number
NEVER = datetime.max.replace(tzinfo=UTC)
LOOK_BACK = 2_000  # entries of a carrier's feed among which today's deposits are looked for


def of_lines(lines: Sequence[bytes]) -> list[VisitCalendar | AdmissionRow]:
    """Of the tables of a plan file, one JSON object a line, those that the journal tells of."""
    found = [msgspec.json.decode(line) for line in lines if line.strip()]
    told = [each for each in found if each["type"] != "RoomTable"]
    return msgspec.convert(told, type=list[VisitCalendar | AdmissionRow])


class Tables:
    """The adopted tables by name: the last adopted of each. Each is read once."""

    def __init__(self) -> None:
        self.calendars: dict[tuple[str, str], VisitCalendar] = {}
        self._admission: dict[str, AdmissionRow] = {}
        self._rows, self._rows_until = Rows(), NEVER
        self._looked: datetime | None = None  # when this was last read
        self._seen: set[tuple[str, int]] = set()  # of the time that overlaps
        self._newest: dict[str, Place] = {}  # of each name: one that was recorded before it may be seen after it
        self.decoded = 0

    def rows(self, now: datetime) -> Rows:
        """The rows of admission in force, by name."""
        if now > self._rows_until:
            self._sort(now)
        return self._rows

    def _sort(self, now: datetime) -> None:
        """Leaves out what has ended, by its word or by its time."""
        self._rows = Rows(row for _, row in sorted(self._admission.items())
                          if row.rule != "ended" and (row.good_until is None or now <= row.good_until))  # fmt: skip
        self._rows_until = min((row.good_until for row in self._rows if row.good_until), default=NEVER)

    async def refresh(self, connection: Connection, now: datetime) -> None:
        """Reads what was adopted since it was last asked to."""
        if self._looked is None:
            found = await connection.fetch(_NEWEST)
        else:
            since = self._looked - OVERLAP
            keys = {(row["writer"], row["number"]) for row in await connection.fetch(_SINCE, since)}
            new, self._seen = keys - self._seen, keys
            found = await connection.fetch(_THESE, *map(list, zip(*new, strict=True))) if new else []
        for row in found:
            self._seen.add((row["writer"], row["number"]))
            self._note(facts.read(row["kind"], row["body"]), (row["recorded_at"], row["writer"], row["number"]))
        self.decoded += len(found)
        if found:
            self._sort(now)
        self._looked = now

    def _note(self, fact: facts.Fact | None, at: Place) -> None:
        assert isinstance(fact, facts.AdmissionAdopted | facts.TableAdopted)
        table = fact.row if isinstance(fact, facts.AdmissionAdopted) else fact.table
        if not isinstance(table, AdmissionRow | VisitCalendar):
            return  # curves of dwell, of old journals, are for people
        name = table.name if isinstance(table, AdmissionRow) else f"{table.station}/{table.carrier}/calendar"
        if self._newest.get(name, at) > at:
            return
        self._newest[name] = at
        if isinstance(table, AdmissionRow):
            self._admission[table.name] = table
        elif of_no_use(table):  # adopted before anybody looked: what was stated is told
            self.calendars.pop((table.station, table.carrier), None)
        else:
            self.calendars[table.station, table.carrier] = table

    def tells_of(self, parcel: Parcel) -> bool:
        """Whether a window may be told: room is promised at a station whose calendar of this carrier is known."""
        return parcel.stage == Stage.RESERVED and (parcel.station or "", parcel.carrier) in self.calendars

    async def window(self, connection: Connection, parcel: Parcel, now: datetime) -> Window | None:
        """When a promised parcel will be ready; None where no fresh calendar knows its station and carrier, or where
        it is over: a window that has passed is not told, the parcel is late."""
        calendar = self.calendars.get((parcel.station or "", parcel.carrier))
        if parcel.stage != Stage.RESERVED or calendar is None or parcel.announced_at is None:
            return None
        known, at = "announced", parcel.announced_at
        for row in await connection.fetch(_LAST_MARK, parcel.id):
            mark = msgspec.json.decode(row["body"], type=facts.CarrierReported).mark
            if mark in ON_THE_WAY or mark == "out_for_delivery":
                known, at = (mark if mark in calendar.lead_h else "on_the_way"), row["happened_at"]
                break
        late_h = await self._late_h(connection, parcel, now) if known == "out_for_delivery" else 0.0
        window = ready_window(calendar, known, at, now.date(), late_h, parcel.expected_at)
        return window if window and window.until > now else None

    async def _late_h(self, connection: Connection, parcel: Parcel, now: datetime) -> float:
        """How late the carrier's round runs today, by the stations that it has been to."""
        rows = await connection.fetch(_FIRST_STOPS, parcel.carrier, now - timedelta(hours=12), LOOK_BACK)
        visited = ((self.calendars.get((row["station"], parcel.carrier)), row["first"]) for row in rows)
        return runs_late_h([(calendar, first) for calendar, first in visited if calendar])
