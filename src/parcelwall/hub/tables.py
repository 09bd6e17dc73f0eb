"""Tables of planning that operators adopted, as this process has read them, and the ready window told from them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from asyncpg import Connection

from parcelwall.hub.stations import OF_HUB
from parcelwall.rules import facts
from parcelwall.rules.life import Parcel, Stage
from parcelwall.rules.sentence import ON_THE_WAY
from parcelwall.rules.tables import AdmissionRow, VisitCalendar, Window, ready_window, runs_late_h

_ADOPTED = f"""
SELECT kind, body, recorded_at FROM entry WHERE kind IN ('TableAdopted', 'AdmissionAdopted') AND recorded_at > $1
  AND {OF_HUB}
ORDER BY recorded_at, writer, number"""  # noqa: S608 - a text of our own
_LAST_MARK = """
SELECT body, happened_at FROM entry WHERE parcel = $1 AND kind = 'CarrierReported' ORDER BY revision DESC LIMIT 10"""
_FIRST_STOPS = """
SELECT body::json ->> 'station' AS station, min(happened_at) AS first FROM feed
JOIN entry ON entry.writer = feed.writer AND entry.number = feed.entry_number
WHERE carrier = $1 AND feed.number > (SELECT max(number) FROM feed WHERE carrier = $1) - $3
  AND kind = 'Deposited' AND happened_at >= $2 GROUP BY 1"""
OVERLAP = timedelta(minutes=5)  # a transaction that began earlier may commit later
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
LOOK_BACK = 2_000  # entries of a carrier's feed among which today's deposits are looked for


def of_lines(lines: Sequence[bytes]) -> list[VisitCalendar | AdmissionRow]:
    """Of the tables of a plan file, one JSON object a line, those that the journal tells of."""
    found = [msgspec.json.decode(line) for line in lines if line.strip()]
    told = [each for each in found if each["type"] != "RoomTable"]
    return msgspec.convert(told, type=list[VisitCalendar | AdmissionRow])


class Tables:
    """The adopted tables by name: the last adopted of each. Read again where new ones were recorded since."""

    def __init__(self) -> None:
        self.calendars: dict[tuple[str, str], VisitCalendar] = {}
        self._admission: dict[str, AdmissionRow] = {}
        self._until: datetime | None = None

    @property
    def rows(self) -> tuple[AdmissionRow, ...]:
        """The rows of admission in force, by name."""
        return tuple(row for _, row in sorted(self._admission.items()) if row.rule != "ended")

    async def refresh(self, connection: Connection) -> None:
        """Reads what was adopted since."""
        since = self._until - OVERLAP if self._until else LONG_AGO
        for row in await connection.fetch(_ADOPTED, since):
            self._until = row["recorded_at"]
            fact = facts.read(row["kind"], row["body"])
            if isinstance(fact, facts.AdmissionAdopted):
                self._admission[fact.row.name] = fact.row
                continue
            assert isinstance(fact, facts.TableAdopted)
            if isinstance(fact.table, VisitCalendar):  # curves of dwell, of old journals, are for people
                self.calendars[fact.table.station, fact.table.carrier] = fact.table

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
