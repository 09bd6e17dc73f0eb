"""Sites with their permits, policies with who changed what, and the operator's own people."""

from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.response import Redirect

from parcelwall.errors import Refusal
from parcelwall.hub import admission, policies, site_papers, site_photos, sites, staff
from parcelwall.hub.house import Hub
from parcelwall.hub.sites import Site
from parcelwall.hub.staff import Person, SignIn
from parcelwall.notices.language import Words, words
from parcelwall.rules import facts
from parcelwall.rules.policy import Policy
from parcelwall.rules.rights import ROLES
from parcelwall.rules.tables import AdmissionRow
from parcelwall.web.console import said
from parcelwall.web.console.admitted import Reading
from parcelwall.web.console.gate import HOME, back, chosen, look, must, posted, top
from parcelwall.web.console.once import and_no_more, show_once, take_once
from parcelwall.web.console.views_office import KnobGroup, KnobRow, PeopleView, PolicyView, StaffRow
from parcelwall.web.console.views_sites import SiteRow, SitesView
from parcelwall.web.reader import page
from parcelwall.web.render import Renderer

PEOPLE = f"{HOME}/people"
TOLD = {"": None, "yes": True, "no": False}


@get("/console/sites", include_in_schema=False)
async def sites_page(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer, station: str = ""
) -> Response[bytes]:
    """All sites with what is on paper, what ends first on top; one of them with its history."""
    must(sign_in, "see", station or None)
    names = await staff.names(hub.pool)
    newest = {site.station: site for site in await sites.newest(hub)}
    rows = [
        _site_row(hub, sign_in.person, each.id, newest.get(each.id), names)
        for each in hub.stations.known.values() if sign_in.person.sees(each.id)
    ]  # fmt: skip
    rows.sort(key=lambda row: (row.days_left is None, row.days_left or 0, row.name))
    picked = next((row for row in rows if row.station == station), None)
    past = await sites.history(hub, station) if picked else []
    shown = SitesView(
        await top(request, hub, sign_in, "sites"), tuple(rows), picked,
        tuple((site, names.get(site.actor, "") if site.actor else "") for site in past), hub.clock.now().date(),
        papers=tuple(await site_papers.of(hub, station)) if picked else (),
        may_fetch=bool(picked) and sign_in.person.may("export", station),
    )  # fmt: skip
    return page(renderer, shown, look(request))


def _site_row(hub: Hub, person: Person, station: str, site: Site | None, names: dict[UUID, str]) -> SiteRow:
    today = hub.clock.now().astimezone(ZoneInfo(hub.stations.known[station].about.zone)).date()
    left = (site.valid_until - today).days if site and site.valid_until else None
    by = names.get(site.actor, "") if site and site.actor else ""
    return SiteRow(station, hub.stations.known[station].about.name, site, left, by, person.may("sites", station),
                   hub.stations.known[station].photo)  # fmt: skip


@post("/console/sites", include_in_schema=False)
async def note_site(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub) -> Redirect:
    """What is on paper now; what was noted before stays as its history."""
    form = await posted(request, sign_in)
    station = form.get("station", "")
    person = must(sign_in, "sites", station)
    to = f"{HOME}/sites"
    try:
        async with sites.changing(hub, station) as (connection, now):
            await sites.note(hub, _site_of(form, now, person.actor), connection)
        await hub.refresh()
    except Refusal as no:
        return back(to, no=no)
    except (ValueError, KeyError):
        return back(to, no=Refusal("bad_field"))
    return Redirect(f"{to}?station={station}&said=noted", status_code=303)


def _site_of(form: dict[str, str], now: facts.SiteNoted, actor: UUID | None) -> facts.SiteNoted:
    """What the form says; photo and papers as they are. Raises ValueError or KeyError for what it has no field for."""
    given = {name: form.get(name, "").strip() for name in (*sites.TEXTS, "ground", "kerb")}
    days = {name: date.fromisoformat(form[name]) for name in ("valid_from", "valid_until") if form.get(name)}
    known = {name: TOLD[form.get(name, "")] for name in ("step_free", "lit")}
    kept = {"station": now.station, "photo": now.photo, "papers": now.papers}
    return msgspec.convert({**kept, **given, **days, **known, "actor": actor}, facts.SiteNoted)


@post("/console/sites/photo", include_in_schema=False)
async def put_photo(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub) -> Redirect:
    """A picture of the station, for everybody; with `do=remove` none any more. Raises Refusal."""
    form = await posted(request, sign_in)
    station = form.get("station", "")
    person, to = must(sign_in, "sites", station), f"{HOME}/sites?station={station}"
    given = (await request.form()).get("photo")
    picture = await given.read() if isinstance(given, UploadFile) and form.get("do") != "remove" else b""
    try:
        if not picture and form.get("do") != "remove":
            raise Refusal("bad_field", field="photo")
        await site_photos.put(hub, station, picture, person.actor)
    except Refusal as no:
        return back(to if station in hub.stations.known else f"{HOME}/sites", no=no)
    return back(to, "noted")


@get("/console/policy", include_in_schema=False)
async def policy_page(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer
) -> Response[bytes]:
    must(sign_in, "see")
    return page(renderer, await _policy_view(request, hub, sign_in), look(request))


async def _policy_view(request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn) -> PolicyView:
    names, shown = await staff.names(hub.pool), look(request)
    known = words(shown.language)
    about = {each.id: each.about for each in hub.stations.known.values()}
    reading = Reading(known, about, hub.clock.now(), shown.zone)
    in_force = [row for row in hub.desk.rows if _is_theirs(row, sign_in.person)]
    adopted = [each for each in await admission.history(hub.pool, names) if _is_theirs(each.row, sign_in.person)]
    return PolicyView(
        await top(request, hub, sign_in, "policy"), hub.policy.version,
        knobs_in_words(policies.knobs(hub.policy), known),
        tuple(await policies.history(hub, names)), sign_in.person.may("policy"),
        rows=tuple(reading.row(each) for each in in_force[: admission.MOST_SHOWN]), rows_all=len(in_force),
        adopted=tuple((each, reading.row(each.row)) for each in adopted),
    )  # fmt: skip


def _is_theirs(row: AdmissionRow, person: Person) -> bool:
    return not row.station or person.sees(row.station)


def knobs_in_words(values: dict[str, str], known: Words) -> tuple[KnobGroup, ...]:
    """All knobs as the page shows them, under headings."""
    return tuple(
        KnobGroup(known.gettext(heading), tuple(
            KnobRow(name, values[name], known.gettext(meaning), _kind(name), name in policies.MAY_BE_EMPTY)
            for name, meaning in knobs.items()
        ))
        for heading, knobs in said.KNOBS.items()
    )  # fmt: skip


def _kind(name: str) -> str:
    if name in policies.OF_CARRIERS:
        return "carriers"
    kinds = {"help_phone": "phone", "serve_unwalked": "yes_no", "ask_permit": "yes_no"}
    return kinds.get(name, "currency" if name.endswith("_currency") else "number")


@post("/console/policy", include_in_schema=False)
async def adopt_policy(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub) -> Redirect:
    """The knobs that the form names as it names them, the others as they are, under the next version. Refused if
    another was adopted meanwhile."""
    person = must(sign_in, "policy")
    form = await posted(request, sign_in)
    to = f"{HOME}/policy"
    if form.get("version") != str(hub.policy.version):
        return back(to, no=Refusal("stale_screen"))
    kept = policies.knobs(hub.policy)
    given = {name: form.get(name, value) for name, value in kept.items() if name in policies.MAY_BE_EMPTY}
    given = {name: value for name, value in given.items() if value} | {
        name: form.get(name) or value for name, value in kept.items() if name not in policies.MAY_BE_EMPTY
    }
    try:
        wanted = msgspec.convert({**given, "version": hub.policy.version + 1}, Policy, strict=False)
        policies.refuse_odd(wanted)
        await policies.refuse_unknown(hub, wanted)
        policies.refuse_looser(hub.policy, wanted)
        await hub.adopt(wanted, person.actor)
    except msgspec.ValidationError:
        return back(to, no=Refusal("bad_field"))
    except Refusal as no:
        return back(to, no=no)
    return back(to, "adopted")


@get("/console/people", include_in_schema=False)
async def people_page(
    request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub, renderer: Renderer
) -> Response[bytes]:
    """Everybody; with `?who=` the form for that one, and its areas. A key that was just made is shown once."""
    must(sign_in, "people")
    once = take_once(request, hub, sign_in)
    view = await _people_view(request, hub, sign_in, once.get("key", ""), once.get("who", ""))
    return and_no_more(request, hub, page(renderer, view, look(request)))


async def _people_view(
    request: Request[Any, Any, Any], hub: Hub, sign_in: SignIn, key: str, key_for: str
) -> PeopleView:  # fmt: skip
    known = words(look(request).language)
    looked = await staff.looks(hub.pool, hub.clock.now())
    rows = tuple(
        StaffRow(each["id"], each["name"], each["role"], tuple(each["area"]), each["seen_at"], each["admitted"],
                 looked.get(each["actor"], 0), each["id"] == sign_in.person.id)
        for each in await staff.everybody(hub.pool)
    )  # fmt: skip
    return PeopleView(
        await top(request, hub, sign_in, "people"), rows,
        tuple((role, known.gettext(said.ROLE[role])) for role in ROLES),
        tuple(sorted((each.id, each.about.name) for each in hub.stations.known.values())), key, key_for,
        who=request.query_params.get("who", ""),
    )  # fmt: skip


@post("/console/people/admit", include_in_schema=False)
async def admit_person(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub) -> Redirect:
    """A new person. The page that follows shows their key, once. A name that is taken is refused: nobody is replaced by
    a slip."""
    must(sign_in, "people")
    form, area = await posted(request, sign_in), await chosen(request, "area")
    who, role = form.get("id", "").strip(), form.get("role", "")
    try:
        if role not in ROLES or not staff.ID.fullmatch(who):
            raise Refusal("bad_field")
        if await hub.pool.fetchval("SELECT 1 FROM carrier WHERE id = $1", who):
            raise Refusal("reference_taken")
        if not set(area) <= hub.stations.known.keys():
            raise Refusal("station_unknown")
        key = await staff.admit(hub, who, form.get("name", "").strip()[:60] or who, role, area, sign_in.person.actor)
    except Refusal as no:
        return back(PEOPLE, no=no)
    return show_once(hub, sign_in, PEOPLE, {"key": key, "who": who})


@post("/console/people/change", include_in_schema=False)
async def change_person(request: Request[Any, Any, Any], sign_in: SignIn, hub: Hub) -> Redirect:
    """Another role or area, or away: at once, for browsers that have signed in too. Or a new key, for who has lost a
    passkey: the page that follows shows it, once. Raises Refusal."""
    must(sign_in, "people")
    form, area = await posted(request, sign_in), await chosen(request, "area")
    who, to = form.get("id", ""), PEOPLE
    try:
        if form.get("do") == "away":
            await staff.send_away(hub, who, sign_in.person.actor)
            return back(to, "away")
        if form.get("do") == "key":
            key = await _new_key(hub, who, sign_in.person)
            return show_once(hub, sign_in, PEOPLE, {"key": key, "who": who})
        if not set(area) <= hub.stations.known.keys():
            raise Refusal("station_unknown")
        await staff.change(hub, who, form.get("role", ""), frozenset(area), sign_in.person.actor)
    except Refusal as no:
        return back(to, no=no)
    return back(to, "changed")


async def _new_key(hub: Hub, who: str, admin: Person) -> str:
    """Of one of the operator's people: the old key, passkeys and sign-ins end. Refuses carriers and unknown ids."""
    if await hub.pool.fetchval("SELECT 1 FROM carrier WHERE id = $1 AND role <> 'carrier'", who) is None:
        raise Refusal("not_found")
    key, _, _ = await staff.give_key(hub, who, actor=admin.actor)
    return key
