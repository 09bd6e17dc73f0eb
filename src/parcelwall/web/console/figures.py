"""Numbers: figures with the same of the time before, charts with the tables behind them, files of both."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

from babel.dates import get_day_names
from babel.numbers import format_currency, format_decimal, format_percent
from litestar import Request, Response, get

from parcelwall.errors import Refusal
from parcelwall.hub import asked_for, costs, fullness, numbers, one_more, policies
from parcelwall.hub.house import Hub
from parcelwall.hub.numbers import Span
from parcelwall.hub.staff import SignIn
from parcelwall.notices.language import words
from parcelwall.rules import facts
from parcelwall.web import charts
from parcelwall.web.console import telling
from parcelwall.web.console.gate import HOME, known_station, look, must, top
from parcelwall.web.console.views_numbers import Chart, Figure, NumbersView
from parcelwall.web.csv_file import Value, written
from parcelwall.web.reader import page
from parcelwall.web.render import HEADERS, Renderer, duration, full, locale_of
from parcelwall.web.views import Look

DAYS = (1, 7, 28, 91)
MOST_ROWS = 12  # of a chart; the file has all
SHARES = frozenset({"fill", "waiting"})  # tables whose last column is one of a hundred,
PARTS = frozenset({"groups", "more"})  # and those whose last is a part of the one before it


def N_(message: str) -> str:
    """Marks a text for the catalogues."""
    return message


TITLES = {
    "use": (N_("Doors in use"), N_("Parcels behind doors at the end of each hour.")),
    "fill": (N_("How full, by size"),
             N_("The mean share with a parcel inside, of the compartments of a size that were not out of use.")),
    "peaks": (N_("Peak hours"), N_("Parcels put in and taken out, on the stations' own clocks.")),
    "intervals": (N_("How long parcels lie"), N_("From deposit to collection, of what was collected in this time.")),
    "waiting": (N_("Collected within"),
                N_("Of what was put in. What still lies there counts as not collected yet, not as never.")),
    "refusals": (N_("Sent another way"), N_("Parcels that were promised no room, by reason and the size they needed.")),
    "more": (N_("One more compartment"),
             N_("Turned away for want of room, and how many of them one more would have served.")),
    "faults": (N_("Doors that failed"), N_("Openings that did not happen as asked, by door.")),
    "promises": (N_("Promises"), N_("What became of promises of room that ended in this time.")),
    "groups": (N_("Refused, by group"),
               N_("Parcels for which room was asked, and how many were refused it at the station asked first.")),
    "costs": (N_("What it cost"), N_("By the prices that the policy states; what has none is not counted.")),
}
HEADS: dict[str, tuple[str, ...]] = {
    "use": (N_("Hour"), N_("Doors in use")),
    "fill": (N_("Size"), N_("Compartments"), N_("Hours out of use, all together"), N_("Hours at 90 % or more"),
             N_("95 of 100 hours, %"), N_("Mean, %")),
    "waiting": (N_("Hours"), N_("Collected, %")), "peaks": (N_("Weekday"), N_("Hour"), N_("Parcels")),
    "intervals": (N_("Hours"), N_("Parcels")), "refusals": (N_("Reason"), N_("Size"), N_("Parcels")),
    "more": (N_("Size"), N_("Turned away"), N_("One more would have served")),
    "faults": (N_("Station"), N_("Door"), N_("Why"), N_("Times")), "promises": (N_("Outcome"), N_("Parcels")),
    "groups": (N_("Group"), N_("Which"), N_("Asked"), N_("Refused")),
    "costs": (N_("What"), N_("How many"), N_("Price of one"), N_("Currency"), N_("Amount")),
}  # fmt: skip
OUTCOMES = (N_("kept: a door was there"), N_("not brought in time"), N_("moved elsewhere"), N_("broken by us"))
QUARTERS = (N_("Station"), N_("Weekday"), N_("From"), N_("Put in"), N_("Taken out"), N_("Refused room"))
GROUPS = {"carrier": N_("carrier"), "service": N_("service"), "size": N_("size")}
ITEMS = {
    "cost_station_day": N_("days of stations"), "cost_compartment_day": N_("days of compartments"),
    "cost_stop": N_("stops of couriers"), "cost_deposit": N_("parcels put in"),
    "cost_diverted": N_("parcels sent another way"),
}  # fmt: skip
PART = N_("%(used)s of %(all)s")
FITS_NOTHING = N_("no size")
LONGER = N_("longer")

Rows = Sequence[tuple[Value, ...]]


class Asked:
    """What is asked for, from the page's address: days and one station or all that this person sees."""

    def __init__(self, request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn) -> None:
        given = request.query_params.get("days", "7")
        self.days = int(given) if given in map(str, DAYS) else 7
        self.station = request.query_params.get("station", "")
        if self.station:
            must(sign_in, "see", self.station)
            known_station(hub, self.station)
        now = hub.clock.now()
        mine = tuple(sorted(sign_in.person.area))
        self.span = Span(now - timedelta(days=self.days), now, (self.station,) if self.station else mine)
        self.look = look(request)
        self.known = words(self.look.language)
        self.hub = hub

    def say(self, text: str) -> str:
        return self.known.gettext(text)


@get("/console/numbers", include_in_schema=False)
async def numbers_page(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer
) -> Response[bytes]:
    must(sign_in, "see")
    asked = Asked(request, hub, sign_in)
    stations = tuple((each.id, each.about.name) for each in hub.stations.known.values() if sign_in.person.sees(each.id))
    shown = NumbersView(
        top=await top(request, hub, sign_in, "numbers"), days=asked.days, since=asked.span.since,
        until=asked.span.until, station=asked.station, stations=tuple(sorted(stations, key=lambda each: each[1])),
        figures=await _figures(asked), charts=tuple([await _chart(asked, key) for key in TITLES]),
    )  # fmt: skip
    return page(renderer, shown, asked.look)


@get("/console/numbers/{name:str}", include_in_schema=False)
async def numbers_file(request: Request[Any, Any, Any], name: str, sign_in: SignIn, hub: Hub) -> Response[bytes]:
    """One table as a file. Who fetched which stands in the journal. Raises Refusal for an unknown one."""
    person = must(sign_in, "export", request.query_params.get("station") or next(iter(sign_in.person.area), None))
    key, dot, kind = name.partition(".")
    if key not in TITLES or (dot, kind) != (".", "csv"):
        raise Refusal("not_found")
    asked = Asked(request, hub, sign_in)
    rows = await (_quarters if key == "peaks" else TABLES[key])(asked)
    assert person.actor is not None, "whoever signs in has an id in the journal"
    await hub.note(facts.Looked(at="export", actor=person.actor, reason=f"{key}, {asked.days} days"))
    file = f"parcelwall-{key}-{asked.span.until:%Y-%m-%d}-{asked.days}d.csv"
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{file}"'}
    body = written([asked.say(each) for each in (QUARTERS if key == "peaks" else HEADS[key])], rows)
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


async def _chart(asked: Asked, key: str) -> Chart:
    title, meaning = (asked.say(each) for each in TITLES[key])
    rows = await TABLES[key](asked)
    query = f"?days={asked.days}" + (f"&station={asked.station}" if asked.station else "")
    head = tuple(asked.say(each) for each in HEADS[key])
    shown = tuple(tuple(str(value) for value in row) for row in rows if key != "peaks" or row[-1])
    return Chart(key, title, meaning, await _drawn(asked, key, rows, title), head, shown,
                 f"{HOME}/numbers/{key}.csv{query}")  # fmt: skip


async def _drawn(asked: Asked, key: str, rows: Rows, title: str) -> str:
    if key == "use":
        use = await numbers.use_by_hour(asked.hub, asked.span)
        doors = numbers.compartments(asked.hub, asked.span.stations)
        return charts.day_line(use, doors, asked.look, asked.known, 220)
    if key == "peaks":
        return charts.peaks(await numbers.peaks(asked.hub, asked.span), asked.look, asked.known, title)
    found = [_bar(asked, key, row) for row in rows if key != "costs" or row[-1] not in ("", 0)]
    return charts.bars(found[:MOST_ROWS], asked.known, title, 100 if key in SHARES else 0)


def _bar(asked: Asked, key: str, row: tuple[Value, ...]) -> charts.Bar:
    """A row of a table as a bar, with its figure in words: of what it is a part, in which currency, a share."""
    names, told, n = row[:-1], str(row[-1] or 0), float(row[-1] or 0)
    if key in SHARES:
        names, told = row[:1], _percent(n / 100, asked.look)
    elif key in PARTS:
        names, told = row[:-2], asked.say(PART) % {"used": told, "all": row[-2]}
    elif key == "costs":
        names, told = row[:1], format_currency(n, str(row[-2]), locale=locale_of(asked.look.language))
    return charts.Bar(" · ".join(str(name) for name in names if name != ""), n, told)


async def _use(asked: Asked) -> Rows:
    return [(full(hour, asked.look), n) for hour, n in await numbers.use_by_hour(asked.hub, asked.span)]


async def _peaks(asked: Asked) -> Rows:
    table = await numbers.peaks(asked.hub, asked.span)
    names = get_day_names("wide", locale=locale_of(asked.look.language))
    return [(names[day], hour, table[day][hour]) for day in range(7) for hour in range(24)]


async def _intervals(asked: Asked) -> Rows:
    counts = await numbers.interval_classes(asked.hub, asked.span)
    edges = (0, *numbers.EDGES_H)
    names = [f"{low}–{high} h" for low, high in pairwise(edges)]
    return list(zip([*names, asked.say(LONGER)], counts, strict=True))


async def _fill(asked: Asked) -> Rows:
    found = await fullness.fill_by_size(asked.hub, asked.span)
    return [(each.size, each.compartments, each.out_of_use_h, each.nearly_full_h, round(100 * each.p95),
             round(100 * each.mean)) for each in found]  # fmt: skip


async def _waiting(asked: Asked) -> Rows:
    found = await fullness.waiting(asked.hub, asked.span)
    shares = [(hours, found.share_within(hours * 3600)) for hours in fullness.WITHIN_H]
    return [(f"{hours} h", round(100 * share)) for hours, share in shares if share is not None]


async def _quarters(asked: Asked) -> Rows:
    names = get_day_names("wide", locale=locale_of(asked.look.language))
    known = asked.hub.stations.known
    found = await fullness.by_quarter(asked.hub, asked.span)
    return [
        (known[station].about.name if station in known else station, names[day - 1], quarter, came, went, refused)
        for station, day, quarter, came, went, refused in found
    ]  # fmt: skip


async def _refusals(asked: Asked) -> Rows:
    found = await numbers.refusals(asked.hub, asked.span)
    return [
        (telling.refused(reason, asked.known), size or asked.say(FITS_NOTHING), n)
        for reason, size, n in found
    ]  # fmt: skip


async def _more(asked: Asked) -> Rows:
    found = await one_more.one_more(asked.hub, asked.span)
    return [(each.size, each.turned_away, "" if each.served is None else each.served) for each in found]


async def _faults(asked: Asked) -> Rows:
    known = asked.hub.stations.known
    return [
        (known[row["station"]].about.name if row["station"] in known else row["station"], row["door"],
         telling.word("DoorFailed", "why", row["why"], asked.known), row["n"])
        for row in await numbers.faults(asked.hub, asked.span)
    ]  # fmt: skip


async def _promises(asked: Asked) -> Rows:
    found = await numbers.promises(asked.hub, asked.span)
    counts = (found.kept, found.not_brought, found.moved, found.broken)
    return [(asked.say(name), n) for name, n in zip(OUTCOMES, counts, strict=True)]


async def _groups(asked: Asked) -> Rows:
    found = await asked_for.by_group(asked.hub, asked.span)
    return [(asked.say(GROUPS[each.of]), each.name or "–", each.asked, each.refused) for each in found]


async def _costs(asked: Asked) -> Rows:
    found = await costs.costs(asked.hub, asked.span)
    return [
        (asked.say(ITEMS[item.knob]), round(item.count, 2), "" if item.price is None else item.price, found.currency,
         "" if item.amount is None else round(item.amount, 2))
        for item in found.items
    ]  # fmt: skip


TABLES: dict[str, Callable[[Asked], Awaitable[Rows]]] = {
    "use": _use, "fill": _fill, "waiting": _waiting, "peaks": _peaks, "intervals": _intervals,
    "refusals": _refusals, "more": _more, "faults": _faults, "promises": _promises, "groups": _groups, "costs": _costs,
}  # fmt: skip


async def _figures(asked: Asked) -> tuple[Figure, ...]:
    now, before = [await _measured(asked, span) for span in (asked.span, asked.span.before())]
    missing = {} if policies.priced(asked.hub.policy) else {"cost": asked.say(NO_PRICE)}
    return tuple(
        Figure(asked.say(name), now[key], before[key], asked.say(meaning), missing.get(key, ""))
        for key, (name, meaning) in MEANINGS.items()
    )


MEANINGS = {
    "fill": (N_("Doors in use"), N_("Mean over all hours of the share of compartments with a parcel inside.")),
    "turns": (N_("Parcels a compartment a day"), N_("Deposits by compartments and days.")),
    "lie": (N_("A parcel lies"), N_("Half of what was collected lay shorter than this.")),
    "lie_long": (N_("One in ten lies"), N_("A tenth of what was collected lay longer than this.")),
    "until": (N_("Half, 80 % and 95 % are collected"),
              N_("That long after they were put in. What still lies there counts as not collected yet.")),
    "within": (N_("Out within 48 hours"), N_("Of what was collected.")),
    "promise": (N_("Promises kept"), N_("Of promises kept or broken by us: a door was there when the courier came.")),
    "open": (N_("A door stands open"), N_("Median from open to shut, then 95 %.")),
    "failed": (N_("Openings that failed"), N_("Of all openings that were tried.")),
    "cost": (N_("A parcel costs"), N_("What the policy states prices for, by parcels put in.")),
}


NO_PRICE = N_("no price is stated in the policy")


async def _measured(asked: Asked, span: Span) -> dict[str, str]:
    """Each figure in words of the reader's language, "" where there is nothing to count."""
    hub, shown = asked.hub, asked.look
    use, lie = await numbers.use_by_hour(hub, span), await numbers.intervals(hub, span)
    doors, kept = await numbers.doors(hub, span), await numbers.promises(hub, span)
    cost = await costs.costs(hub, span)
    waiting = await fullness.waiting(hub, span)
    until = [waiting.quantile_s(share) for share in (0.5, 0.8, 0.95)]
    door_days = numbers.compartment_days(hub, await numbers.served_days(hub, span))
    tried, parcel_days = doors.openings + doors.failures, sum(n for _, n in use) * span.days / len(use)
    fill = parcel_days / door_days if door_days and parcel_days else None
    return {
        "fill": _percent(fill, shown),
        "turns": _decimal(doors.deposits / door_days, shown) if door_days and doors.deposits else "",
        "lie": duration(int(lie.quantiles_s[2]), shown) if lie.count else "",
        "lie_long": duration(int(lie.quantiles_s[4]), shown) if lie.count else "",
        "until": " / ".join(duration(each, shown) if each else "–" for each in until) if any(until) else "",
        "within": _percent(lie.within_48, shown), "promise": _percent(kept.rate, shown),
        "open": " / ".join(f"{_decimal(each, shown)} s" for each in doors.open_s if each is not None),
        "failed": _percent(doors.failures / tried if tried else None, shown), "cost": _money(cost, shown),
    }  # fmt: skip


def _percent(share: float | None, shown: Look) -> str:
    return "" if share is None else format_percent(share, "#,##0.# %", locale=locale_of(shown.language))


def _decimal(value: float, shown: Look) -> str:
    return format_decimal(value, "#,##0.##", locale=locale_of(shown.language))


def _money(cost: costs.Costs, shown: Look) -> str:
    of_one = cost.of_a_parcel
    return "" if of_one is None else format_currency(of_one, cost.currency, locale=locale_of(shown.language))
