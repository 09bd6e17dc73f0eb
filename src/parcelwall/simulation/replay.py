"""`parcelwall replay`: a file of real orders through the real hub desk, links and station desks, on a virtual clock."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path

import msgspec

from parcelwall.clock import SystemClock, VirtualClock
from parcelwall.errors import Trouble
from parcelwall.ids import Ids, seeded
from parcelwall.rules.facts import StationConfigured
from parcelwall.rules.places import distance_m
from parcelwall.settings import default_data_dir
from parcelwall.simulation import dwell, siting
from parcelwall.simulation.check import check_town
from parcelwall.simulation.policies import Plan, named
from parcelwall.simulation.rows import ZONE, Orders, read_orders
from parcelwall.simulation.stories import REALISM, Realism, Story, busy_times, cuts, tell
from parcelwall.simulation.tally import Report, Tally, by_count, percentiles, shares
from parcelwall.simulation.town import Town, a_town
from parcelwall.simulation.traffic import Traffic

Tick = Callable[[int, int], None]  # (events done, events left)
MOST_STATIONS, MOST_COMPARTMENTS, MOST_SCALE = 200, 500, 1000.0


async def replay(
    file: Path, *, stations: int = 12, policy: str = "standard", seed: int = 1, data: Path | None = None,
    dwell_file: Path | None = None, compartments: int = 40, scale: float = 1.0, realism: Realism = REALISM,
    tick: Tick | None = None, database_url: str = "",
) -> Report:  # fmt: skip
    """Sends all parcels of `file` through a town of so many stations and checks every book at the end.

    `scale` multiplies arrivals; `data` is a new or empty folder where the books stay, for `verify`. The hub's book
    stays there too, unless `database_url` names an empty database.
    Raises Trouble for a file without usable rows, a folder that is in use, or numbers out of range.
    """
    began = SystemClock().mono()
    plan = named(policy)
    _refuse_bad_numbers(stations, compartments, scale)
    orders = read_orders(file)
    hours = dwell.read_dwell(dwell_file) if dwell_file else None
    start = min((offer.purchased_at for offer in orders.offers), default=None)
    if start is None:
        raise Trouble(f"{file} has no row that could be offered: {dict(orders.bad) or 'it is empty'}")
    clock = VirtualClock(start - timedelta(days=1 + 3 * (scale > 1)))
    dwell_of = (lambda luck: dwell.sampled(hours, luck)) if hours else dwell.from_table
    stories = tell(orders.offers, scale, realism, dwell_of, seeded(clock, seed).chance)
    folder = _fresh_folder(data)
    tally = Tally(stations * compartments)
    async with a_town(folder, clock, seeded(clock, seed + 1), durable=False, dsn=database_url) as town:
        near_km = await _build(town, stories, stations, compartments, plan, seed)
        traffic = Traffic(town, clock, plan, realism, tally)
        traffic.begin(stories, _all_cuts(town, stories, realism, seed))
        await traffic.run(tick)
        wrong = [*tally.problems, *await check_town(town)]
        entries = await town.hub.pool.fetchval("SELECT count(*) FROM entry")
        inside = await town.hub.pool.fetchval("SELECT count(*) FROM parcel WHERE compartment IS NOT NULL")
    report = _report(orders, stories, tally, wrong, entries=entries, still_inside=inside)
    return msgspec.structs.replace(
        report, seed=seed, stations=stations, compartments=compartments, scale=scale, policy=policy, near_km=near_km,
        data=str(folder), seconds=round(SystemClock().mono() - began, 2),
    )  # fmt: skip


def _refuse_bad_numbers(stations: int, compartments: int, scale: float) -> None:
    for name, value, most in (
        ("--stations", stations, MOST_STATIONS), ("--compartments", compartments, MOST_COMPARTMENTS),
        ("--scale", scale, MOST_SCALE),
    ):  # fmt: skip
        if not 0 < value <= most:
            raise Trouble(f"{name} must be above 0 and at most {most}, not {value}")


def _fresh_folder(data: Path | None) -> Path:
    """The folder for the books: the one given, if nothing is in it yet, or the next free number below our data."""
    if data is None:
        above = default_data_dir() / "replay"
        number = 1 + max((int(path.name) for path in above.glob("*") if path.name.isdigit()), default=0)
        data = above / str(number)
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise Trouble(f"{data} holds something already: name a new or an empty folder with --data")
    data.mkdir(parents=True, exist_ok=True)
    return data


def _chance(town: Town, seed: int, use: int) -> Ids:
    """Ids and chance of one use, which nothing else draws from."""
    return seeded(town.clock, seed * 1_000_003 + use)


async def _build(
    town: Town, stories: Sequence[Story], stations: int, compartments: int, plan: Plan, seed: int
) -> float:
    """Stations in the middle of those who will order, and the policy. Answers how far room is looked for, in km."""
    places = [story.place for story in stories] or [(0.0, 0.0)]
    sites = siting.spread(places, stations, _chance(town, seed, 1).chance)
    for number, (lat, lon) in enumerate(sites, start=1):
        about = StationConfigured(
            station=f"S-{number:04}", name=f"Station {number}", address="", lat=lat, lon=lon,
            layout=siting.layout_of(compartments), zone=ZONE,
        )  # fmt: skip
        await town.station(about, _chance(town, seed, 100 + number))
    farthest = max(min(distance_m(place, site) for site in sites) for place in places)
    near_km = float(ceil(farthest / 1000) + 1)
    await town.adopt(msgspec.structs.replace(plan.policy, near_km=near_km))
    return near_km


def _all_cuts(
    town: Town, stories: Sequence[Story], realism: Realism, seed: int
) -> dict[str, list[tuple[datetime, datetime]]]:
    times = busy_times(stories)
    chances = [_chance(town, seed, 1000 + index).chance for index in range(len(town.stations))]
    return {
        name: [cut for start, end in times for cut in cuts(start, end, realism, chance)]
        for name, chance in zip(town.stations, chances, strict=True)
    }


def _report(
    orders: Orders, stories: Sequence[Story], tally: Tally, wrong: Sequence[str], entries: int, still_inside: int
) -> Report:
    utilisation, load = shares(tally, stories)
    accepted = [story for story in stories if story.station]
    events = {
        name: getattr(tally, name)
        for name in ("late", "cuts", "offline_deposits", "offline_collections", "wrong_codes", "jams", "left_open",
                     "moves", "extensions")
    }  # fmt: skip
    return Report(
        rows=len(stories) + orders.bad.total(), bad=by_count(orders.bad), offered=len(stories),
        accepted=tally.accepted, refused=by_count(tally.refused), diverted=by_count(tally.diverted),
        not_brought=sum(story.offer.delivered_at is None for story in accepted), lapsed=tally.lapsed,
        turned_away=by_count(tally.turned_away), deposited=tally.deposited, collected=tally.collected,
        taken_back=tally.taken_back, still_inside=still_inside, utilisation=utilisation, load=load,
        dwell_hours=percentiles(tally.stays_h), entries=entries, violations=len(wrong), seconds=0.0, seed=0,
        stations=0, compartments=0, scale=1.0, policy="", near_km=0.0, refused_sizes=by_count(tally.refused_sizes),
        events=events, first_violation=wrong[0] if wrong else None, data="",
    )  # fmt: skip
