"""Rows of admission in words: whom each is about, and what it says today. docs/planning/admission.md has the rules."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import msgspec
from babel.numbers import format_decimal

from parcelwall.notices.language import Words
from parcelwall.rules.facts import StationConfigured
from parcelwall.rules.tables import ANY_LEAD_H, AdmissionRow
from parcelwall.web.console.said import N_

SAYS = {
    "always": N_("Whoever has room is admitted."),
    "protect": N_("Room is kept for parcels that come later: %(kept)s."),
    "nightly": N_("What the nightly plan proposes comes into force by itself."),
    "ended": N_("Taken out of force."),
}
AT_MOST = N_("At most %(level)s are admitted for today, %(expected)s are expected.")
ENOUGH = N_("Whoever has room is admitted for today: %(expected)s are expected, the row would admit %(level)s.")
PRICE = N_("For today the room is worth %(price)s to later parcels: whoever is worth less is not admitted.")
NOT_TODAY = N_("It says nothing of today.")
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)  # from then on it is no day, and the last one is none on clocks east of us
IN_FULL = 1e15  # numbers from here on are shown by their size alone


class RowInWords(msgspec.Struct, frozen=True):
    name: str
    about: tuple[str, ...]
    says: str
    until: datetime | None = None


class Reading(msgspec.Struct, frozen=True):
    """What it takes to put them into words: language, stations, and the time. `zone`: that of most stations."""

    known: Words
    stations: Mapping[str, StationConfigured]
    now: datetime
    zone: str

    def row(self, row: AdmissionRow) -> RowInWords:
        until = row.good_until if row.good_until and row.good_until < FOR_EVER else None
        return RowInWords(row.name, tuple(self._about(row)), self._says(row), until)

    def _about(self, row: AdmissionRow) -> Iterable[str]:
        about = self.stations.get(row.station)
        yield about.name or about.station if about else row.station or self.known.gettext(N_("Each station"))
        for words, names in (
            (N_("sizes %(these)s"), row.sizes), (N_("carriers %(these)s"), row.carriers),
            (N_("services %(these)s"), row.services), (N_("never services %(these)s"), row.spared),
        ):  # fmt: skip
            if names:
                yield self._say(words, these=", ".join(names))
        if row.lead_h != ANY_LEAD_H:
            yield self._say(N_("%(first)s to %(below)s hours ahead"), first=row.lead_h[0], below=row.lead_h[1])

    def _says(self, row: AdmissionRow) -> str:
        if row.rule == "threshold":
            place = row.place(self._day_at(row.station), row.levels)
            return self._say(NOT_TODAY) if place is None else self._level(row.levels[place], row.expected[place])
        if row.rule == "price":
            place = row.place(self._day_at(row.station), row.prices)
            return self._say(NOT_TODAY) if place is None else self._say(PRICE, price=row.prices[place])
        return self._say(SAYS[row.rule], kept=", ".join(f"{count} × {size}" for size, count in row.keep.items()))

    def _level(self, level: float, expected: float) -> str:
        return self._say(ENOUGH if level >= expected else AT_MOST, level=level, expected=expected)

    def _day_at(self, station: str) -> date:
        about = self.stations.get(station)
        return self.now.astimezone(ZoneInfo(about.zone if about else self.zone)).date()

    def _say(self, words: str, **given: str | float) -> str:
        return self.known.gettext(words) % {name: self.known.upright(self._shown(each)) for name, each in given.items()}

    def _shown(self, value: str | float) -> str:
        if isinstance(value, str):
            return value
        return format_decimal(value, "#,##0.##" if value < IN_FULL else "0.##E0", locale=self.known.locale)
