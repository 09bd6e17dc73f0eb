"""The hour that the map shows: now, one of the last seven days, or one of the next two."""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request

from parcelwall.hub import then
from parcelwall.hub.then import Known

HOUR_S = 3600


class Hour(msgspec.Struct, frozen=True):
    """`hours` from the whole hour `base` (of those since 1970, so that a page that stands open keeps its own); 0: now.
    `known`: by station what is known of it then; `told_for`: (hours, when) for which there are forecasts."""

    hours: int
    base: int
    zone: str
    back: int = then.BACK_H
    ahead: int = then.AHEAD_H
    known: dict[str, Known] = {}
    told_for: tuple[tuple[int, datetime], ...] = ()

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp((self.base + self.hours) * HOUR_S, UTC)

    @property
    def since(self) -> datetime:
        """The hour from which `hours` count."""
        return datetime.fromtimestamp(self.base * HOUR_S, UTC)


def hour_of(request: Request[Any, Any, Any], now: datetime, zone: str) -> Hour:
    """From the page's address: `hours`, from the hour `from`. What is no hour, or too far away, is now."""
    this = int(now.timestamp()) // HOUR_S
    hours, base = _number(request, "hours", 0), _number(request, "from", this)
    away = base + hours - this
    return Hour(away if hours and -then.BACK_H <= away <= then.AHEAD_H else 0, this, zone)


def _number(request: Request[Any, Any, Any], name: str, usual: int) -> int:
    given = request.query_params.get(name, "")
    return int(given) if re.fullmatch("-?[0-9]{1,9}", given) else usual
