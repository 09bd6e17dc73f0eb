"""What needs somebody: cases, silent stations, acts that wait for a second person, permits that end. One list, dearest
first.

The order is a judgement, written down here alone: first what a person stands and waits for, then what may be lost,
then what takes room away (more where little is left), then what nobody hears of, then paper. Within one kind the
oldest first.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from parcelwall.hub import acts, reading, sites
from parcelwall.hub.acts import Act
from parcelwall.hub.house import Hub
from parcelwall.hub.staff import Person
from parcelwall.hub.stations import presence, presence_of
from parcelwall.rules.places import read_room

Cost = Literal["second", "waits", "risk", "full", "door", "silent", "station", "paper"]
ORDER: tuple[Cost, ...] = ("second", "waits", "risk", "full", "door", "silent", "station", "paper")
"""Dearest first. "full": a door that is out of use where fewer than a tenth are free."""

COSTS: dict[str, Cost] = {
    "door_did_not_open": "waits", "reported_empty": "waits", "reported_wrong_parcel": "waits",
    "reported_damaged": "waits", "short_of_room": "waits",
    "opened_unasked": "risk", "unexpected_removal": "risk", "unexpected_collection": "risk",
    "two_in_one_compartment": "risk", "deposited_twice": "risk", "unexpected_deposit": "risk",
    "another_door_opened": "risk",
    "door_failed": "door", "door_left_open": "door", "door_unclear": "door", "no_such_compartment": "door",
    "never_taken_back": "door", "out_of_order": "door", "written_off": "door",
    "disk_full": "station", "ups_complains": "station", "journal_restored": "station", "books_differ": "station",
    "doors_not_walked": "station", "doors_unreachable": "station",
}  # fmt: skip
"""By what a case is about; every other is paper. A door that fails with a parcel behind it: somebody waits."""

SILENT = timedelta(minutes=10)
SCARCE = 0.9  # share of compartments in use from which each one counts more
REMIND_DAYS: tuple[tuple[int, Cost], ...] = ((-1, "full"), (7, "silent"), (30, "station"), (90, "paper"))
"""A permit stands in the list from so many days before its end until it is noted anew, and rises: at 90 days it is
paper, at 30 and 7 it is dearer, and where it has ended no room is promised."""


_REFUSED = """
SELECT min(recorded_at) FROM notice JOIN entry USING (writer, number)
WHERE notice.state = 'waiting' AND notice.trouble LIKE 'refused_by_policy:%'"""  # failures.RefusedByPolicy


class Need(msgspec.Struct, frozen=True):
    """One line of the list. `about` is a case's, or "silent", "permit", "mail_refused" or "second". Times aware."""

    about: str
    cost: Cost
    since: datetime
    station: str | None = None
    compartment: int | None = None
    parcel: UUID | None = None
    case: UUID | None = None
    name: str = ""
    until: date | None = None
    act: Act | None = None


async def needs(hub: Hub, who: Person, station: str = "") -> list[Need]:
    """Everything that needs somebody in this person's area; of one station, if one is named. Its length is the count
    that is shown, everywhere."""
    async with hub.pool.acquire() as connection:
        rows = [await presence_of(connection, station)] if station else await presence(connection)
    stations = {row["id"]: row for row in rows if row}
    cases = await reading.open_cases(hub, [station] if station else who.area)
    found = [_of_case(hub, case, stations) for case in cases]
    found += _silent(hub, stations)
    found += await _mail_refused(hub)
    under_way = await acts.under_way(hub, who)
    found += [
        Need("second", "second", act.asked_at, act.station, act=act)
        for act in under_way if act.state == "waiting"
    ]  # fmt: skip
    found += [Need("stuck", "second", act.due_at or act.asked_at, act=act) for act in under_way if act.stuck]
    found += await _permits(hub)
    seen = (need for need in found if who.sees(need.station) or (need.act and who.sees(need.act.stations[0])))
    return sorted(seen, key=lambda need: (ORDER.index(need.cost), need.since))


def _of_case(hub: Hub, case: Mapping[str, Any], stations: Mapping[str, dict[str, Any]]) -> Need:
    cost = COSTS.get(case["about"], "paper")
    if case["about"] in ("door_failed", "another_door_opened") and case["parcel"]:
        cost = "waits"
    if cost == "door" and _is_scarce(hub, stations.get(case["station"] or "")):
        cost = "full"
    return Need(case["about"], cost, case["opened_at"], case["station"], case["compartment"], case["parcel"],
                case["id"], case["name"])  # fmt: skip


def _is_scarce(hub: Hub, row: dict[str, Any] | None) -> bool:
    station = hub.stations.known.get(row["id"]) if row else None
    if row is None or station is None:
        return False
    room, doors = read_room(row["room"]), len(station.about.layout.compartments)
    return doors > 0 and (room.taken | room.broken | room.held).bit_count() >= SCARCE * doors


def _silent(hub: Hub, stations: Mapping[str, dict[str, Any]]) -> list[Need]:
    """Stations that were heard once and are not now. One that never was waits for its computer, not for us."""
    now = hub.clock.now()
    quiet = (row for row in stations.values() if row["last_seen"] and now - row["last_seen"] > SILENT)
    return [Need("silent", "silent", row["last_seen"], row["id"]) for row in quiet]


async def _mail_refused(hub: Hub) -> list[Need]:
    """Mail that a server refuses by its policy and that is tried again: somebody of ours must see to it, before the
    three days are over."""
    since = await hub.pool.fetchval(_REFUSED)
    return [Need("mail_refused", "waits", since)] if since else []


async def _permits(hub: Hub) -> list[Need]:
    """Permits that end within 90 days, or have ended; each as old as the last of the days that it was named for."""
    found = []
    for site in await sites.newest(hub):
        station = hub.stations.known.get(site.station)
        if site.valid_until is None or station is None:
            continue
        zone = ZoneInfo(station.about.zone)
        left = (site.valid_until - hub.clock.now().astimezone(zone).date()).days
        reached = next(((days, cost) for days, cost in REMIND_DAYS if left <= days), None)
        if reached:
            since = datetime.combine(site.valid_until - timedelta(days=reached[0]), time(), zone)
            found.append(Need("permit", reached[1], max(since, site.noted_at), site.station, until=site.valid_until))
    return found
