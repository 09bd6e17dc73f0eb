"""Sample views of the console: every page in a state that happens, with the troubles that a network has."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zlib import crc32

import msgspec

from parcelwall.hub import policies
from parcelwall.hub.acts import Act, Gone, Longer, OneDoor, Out
from parcelwall.hub.admission import Changed
from parcelwall.hub.needs import Cost, Need
from parcelwall.hub.pages_of_journal import Leaf, Stream, Written
from parcelwall.hub.policies import Adopted
from parcelwall.hub.round_order import Passed
from parcelwall.hub.site_papers import Paper
from parcelwall.hub.sites import Site
from parcelwall.hub.taking_out import Late
from parcelwall.hub.then import Known
from parcelwall.hub.watching import AtAGlance, Behind, DoorState, Noted
from parcelwall.notices.language import words as in_language
from parcelwall.rules.facts import StationConfigured
from parcelwall.rules.layout import plain_layout
from parcelwall.rules.policy import Policy
from parcelwall.rules.tables import AdmissionRow
from parcelwall.web import cabinet, charts
from parcelwall.web.console import said, views, views_numbers, views_office, views_parcels
from parcelwall.web.console.admitted import Reading
from parcelwall.web.console.expired import ExpiredView, stands
from parcelwall.web.console.hours import HOUR_S, Hour
from parcelwall.web.console.journal import JournalOfAllView, JournalView, WrittenBy
from parcelwall.web.console.office import knobs_in_words
from parcelwall.web.console.overview import as_then, pin_of
from parcelwall.web.console.round_order import PlaceRow, RoundOrderView
from parcelwall.web.console.views_sites import SiteRow, SitesView
from parcelwall.web.console.writing_off import WriteOffView
from parcelwall.web.map import town
from parcelwall.web.render import Words
from parcelwall.web.views import Look

NOW = datetime(2026, 11, 22, 15, 42, 10, tzinfo=UTC)
AN_ID = UUID("0198f000-0000-7000-8000-000000000001")
LAYOUT = plain_layout("SSSSMMSSSL SSMMMMMSSS MMSSSSSLSS")
FREE = (("S", 9), ("M", 4), ("L", 1))
REASONS = (("stuck", "a recipient's door does not open"), ("look", "somebody must look inside"))
ENDINGS = (("stolen", "it was stolen"), ("destroyed", "the station was destroyed"))
STREAM = Stream("S-0012", 1204, "5f" * 32)
LEAF = Leaf(STREAM, tuple(
    Written(1204 - n, kind, NOW - timedelta(minutes=n), NOW - timedelta(minutes=n, seconds=-1), f"{n:02x}" * 32, 19,
            AN_ID if kind == "Deposited" else None, {"why": "stuck"} if kind == "DoorFailed" else {})
    for n, kind in enumerate(("DoorClosed", "Deposited", "DoorOpened", "DoorFailed"))
), 1154, True)  # fmt: skip
SAID = (("The door was seen shut", ""), ("Put in", "by the courier"), ("The door was seen open", ""),
        ("The door did not do what was asked", "did not open"))  # fmt: skip
KINDS = (("Deposited", "Put in"), ("DoorOpened", "The door was seen open"), ("DoorClosed", "The door was seen shut"),
         ("DoorFailed", "The door did not do what was asked"))  # fmt: skip
ROWS = (
    AdmissionRow(name="S-0012/L", station="S-0012", rule="protect", keep={"L": 1, "XL": 2}, spared=("express",)),
    AdmissionRow(name="night/S-0012/acme-post/standard/M", station="S-0012", rule="threshold", sizes=("M",),
                 carriers=("acme-post", "kulku-north-and-islands"), services=("standard",), first_day=NOW.date(),
                 levels=(2.4, 3), expected=(4.25, 3), good_until=NOW + timedelta(hours=36)),
    AdmissionRow(name="summer", rule="price", prices=(0.35,) * 7, lead_h=(0, 48)),
    AdmissionRow(name="nights", rule="nightly"),
)
ENDED = AdmissionRow(name="winter", rule="ended")
KNOBS = policies.knobs(Policy(
    help_phone="+358 9 4245 0100", order_warned="*", order_enforced="acme-post kulku-north-and-islands",
    photo_required="acme-post", verified_from=500.0, verified_currency="EUR", cost_station_day=14.5,
    cost_currency="EUR",
))  # fmt: skip
NAV = ("map", "needs", "parcels", "longer", "couriers", "numbers", "sites", "policy", "people")


def top(here: str, **changed: Any) -> views.Top:
    known: dict[str, Any] = {"person": "Kaisa", "role": "admin", "slip": "5" * 32, "nav": NAV, "here": here, "needs": 4,
                             "now": NOW}  # fmt: skip
    return views.Top(**known | changed)


def glance(number: int, name: str, lat: float, lon: float, **changed: Any) -> AtAGlance:
    known: dict[str, Any] = {
        "address": "Aleksanterinkatu 19", "line": "here", "heard_at": NOW - timedelta(seconds=4), "doors": 48,
        "in_use": 29, "free": FREE, "faults": (), "open_doors": (), "waiting": 26, "expected": 11, "overdue": 1,
        "cases": 0, "in_service": True,
    }  # fmt: skip
    return AtAGlance(id=f"S-{number:04}", name=name, lat=lat, lon=lon, **known | changed)


STATIONS = (
    glance(13, "Simonkatu", 60.1699, 24.9374, in_use=45, faults=(5, 6), cases=1, free=(("S", 1), ("M", 0))),
    glance(12, "Kluuvi", 60.1692, 24.9440, open_doors=(19,)),
    glance(14, "Kruununhaka", 60.1702, 24.9508, line="quiet", heard_at=NOW - timedelta(minutes=26)),
    glance(15, "Erottaja", 60.1686, 24.9405, line="never", heard_at=None, doors=0, in_use=0, free=(),
           in_service=False, joined=False),
)
DOOR_ACT = Act(AN_ID, "open_door", "S-0013", OneDoor(5, "look: smoke seen"), "noor", "Noor", NOW, NOW, "waiting")
DONE_ACT = msgspec.structs.replace(DOOR_ACT, state="done", outcome="opened", second="Kaisa")
LONGER = Act(AN_ID, "keep_longer", None, Longer(("S-0012", "S-0013"), 48, "storm"), "noor", "Noor", NOW, NOW,
             "agreed", "Kaisa", NOW + timedelta(minutes=1))  # fmt: skip
LOST = Act(AN_ID, "write_off", "S-0013", Gone((AN_ID,) * 71, "destroyed: it burnt down"), "kaisa", "Kaisa", NOW, NOW,
           "waiting")  # fmt: skip
OUT = Act(UUID(int=AN_ID.int + 7), "take_out", "S-0013", Out((AN_ID, UUID(int=1), UUID(int=2)), (4, 9, 31), "room",
          {str(AN_ID): "out", str(UUID(int=1)): "opened"}), "kaisa", "Kaisa", NOW, NOW + timedelta(seconds=30),
          "agreed", "Noor")  # fmt: skip
OUT_ASKED = msgspec.structs.replace(OUT, what=msgspec.structs.replace(OUT.what, became={}), state="waiting", second="")
OUT_OVER = tuple(
    msgspec.structs.replace(OUT, id=UUID(int=each), asked_at=NOW - timedelta(seconds=9 * each), state="done",
                            outcome=outcome, what=Out(
        OUT.what.parcels, OUT.what.doors, "authority: customs, 71/2026, asked for them in writing",
        dict(zip(map(str, OUT.what.parcels), became, strict=False))))
    for each, (outcome, *became) in enumerate((("left_open", "out", "left_open"),
                                               ("out", "door_failed", "wrong_stage", "out")))
)  # fmt: skip
SITE = Site(station="S-0013", host="Hosting Ltd", authority="City of Helsinki", permit="HEL 2024-011873",
            access="fuse behind the left panel", valid_until=date(2026, 12, 14), actor=AN_ID,
            noted_at=NOW - timedelta(days=300), ground="municipal", valid_from=date(2024, 12, 15),
            way="Left of the main door of the mall, under the roof.", step_free=True, kerb="lowered")  # fmt: skip
PAPERS = (Paper("a1", "HEL 2024-011873.pdf", 412_400, NOW),
          Paper("b2", "Sondernutzungserlaubnis_Bezirksamt_Friedrichshain-Kreuzberg_2024_final.pdf", 4_999_999, NOW),
          Paper("0c", "Plan.png", 88_000, NOW))


def need(about: str, cost: Cost, **changed: Any) -> views.NeedRow:
    """A line of what needs somebody, in the words that the console has for it."""
    case = UUID(int=AN_ID.int + crc32(about.encode()))
    known: dict[str, Any] = {"station": "S-0013", "compartment": 5, "case": case, "name": "C-4F29AB"}
    row = Need(about, cost, NOW - timedelta(hours=2), **known | changed)
    is_case, parcel = row.case is not None, row.parcel
    noted = (("Somebody was sent there: a technician, by 16:00", NOW, "Noor"),) if parcel else ()
    return views.NeedRow(row, "Simonkatu", said.ABOUT[about], said.NEXT_OF.get(about) or said.NEXT.get(cost, ""),
                         said.COST[cost], "/console/stations/S-0013?door=5", may_close=is_case, noted=noted,
                         may_agree=about == "second", may_send=is_case, may_tell=parcel is not None)  # fmt: skip


NEEDS = (
    need("second", "second", act=DOOR_ACT, case=None, name=""), need("reported_empty", "waits", parcel=AN_ID),
    need("opened_unasked", "risk"),
    need("permit", "paper", until=date(2026, 12, 14), case=None, name="", compartment=None),
)
NEED_KINDS = tuple((each.need.cost, each.cost, 1) for each in NEEDS)


def doors() -> tuple[Behind, ...]:
    states: tuple[DoorState, ...] = ("free", "used", "open", "fault", "held", "unknown")
    return tuple(
        Behind(each.number, each.size, states[each.number % 6], AN_ID if each.number % 6 == 1 else None,
               "PW-7F3-2917", "READY", NOW, AN_ID if each.number % 6 == 4 else None, "out_of_order")
        for each in LAYOUT.compartments
    )  # fmt: skip


def station(words: Words, lit: int | None, **changed: Any) -> views.StationView:
    all_doors, known = doors(), views.Chosen(doors()[0], True, True, True)
    behind = next((each for each in all_doors if each.number == lit), None)
    drawn: dict[int, cabinet.State] = {
        each.number: "fault" if each.state == "held" else each.state for each in all_doors
    }
    shown = views.StationView(
        top=top("map"), glance=STATIONS[0],
        cabinet_svg=cabinet.draw(LAYOUT, words, lit=lit, view="operator", states=drawn, link="?door="),
        doors=all_doors,
        latest=((Noted("DoorOpened", NOW - timedelta(days=1), NOW, 14), "The door was seen open", "to look inside"),),
        acts=(DOOR_ACT, DONE_ACT), needs=NEEDS[1:], site=SITE, software="0.1.0", power="battery", charge=0.81,
        power_at=NOW, to_carry=3, chosen=msgspec.structs.replace(known, door=behind) if behind else None, kiosk="/k",
        reasons=REASONS, me="kaisa", may_agree=True, passkeys=False, events="/e",
        screen=views.ScreenSays((("en", "English", "The yard is shut until 14:00."), ("ar", "العربية", "")), "en", NOW,
                                "Noor", "2026-11-23T15:42", 120, True),
    )  # fmt: skip
    return msgspec.structs.replace(shown, **changed)


def expired(words: Words, *acts: Act, **changed: Any) -> ExpiredView:
    late = tuple(Late(UUID(int=n), f"PW-7F3-29{n}", n, NOW - timedelta(days=n)) for n in (9, 17, 31))
    shown = ExpiredView(top("map"), "S-0013", "Simonkatu", True, late, tuple(stands(each, NOW, words) for each in acts),
                        tuple(said.TAKEN_OUT.items()), "kaisa", True)  # fmt: skip
    return msgspec.structs.replace(shown, **changed)


def parcel() -> views_parcels.ParcelView:
    line = views_parcels.Line("Put in", "", "", 14, "Kluuvi", NOW, NOW + timedelta(minutes=9), 540, "S-0012", 4711)
    looked = views_parcels.Line(
        "Somebody looked who it is for", "person, stuck", "Noor", None, "", NOW, NOW, 0, "hub:1/slot-1", 8
    )
    return views_parcels.ParcelView(
        top("parcels", said="Changed."), AN_ID, "PW-7F3-2917", "acme-post", "READY", "S-0012", "Kluuvi", 14, "S",
        "300 × 200 × 60 mm, 900 g", NOW, NOW, (line, looked), NEEDS[1:2],
        (views_parcels.Told("ready", "email", "sent", NOW),),
        views_parcels.Revealed("A… L…", "a…@e….org", "…97"), True, True, REASONS, may_write_off=True, endings=ENDINGS,
    )  # fmt: skip


def numbers(words: Words) -> views_numbers.NumbersView:
    use = [(NOW - timedelta(hours=168 - each), 20 + each % 9) for each in range(168)]
    table = [[97 * (day + 1) * hour % 1301 for hour in range(24)] for day in range(7)]
    bars = [charts.Bar("Kluuvi · 14 · did not open", 1_250, "1250"),
            charts.Bar("Simonkatu near the library, court B · 3 · nobody can say", 341, "341 of 1250")]  # fmt: skip
    drawn = {"use": charts.day_line(use, 48, Look(), words),
             "peaks": charts.peaks(table, Look(), words, "Peak hours"),
             "faults": charts.bars(bars, words, "Doors that failed"),
             "refusals": charts.bars([], words, "Refused")}  # fmt: skip
    shown = tuple(
        views_numbers.Chart(key, key.capitalize(), "What it means.", svg, ("Station", "Times"), (("Kluuvi", "5"),),
                            "/f.csv")
        for key, svg in drawn.items()
    )
    figures = (views_numbers.Figure("Doors in use", "27.5 %", "25 %", "Mean over all hours."),
               views_numbers.Figure("A parcel lies", "", "", "Half of what was collected."))  # fmt: skip
    return views_numbers.NumbersView(
        top("numbers"), 7, NOW - timedelta(days=7), NOW, "", (("S-0012", "Kluuvi"),), figures, shown
    )


def at_hour(shown: views.MapView, hours: int) -> views.MapView:
    """The map at another hour: what is known, and what nobody knows."""
    was = (Known(40), Known(12), Known(None, "silent"), Known(None, "absent"))
    will = (Known(41, "", 35, 46, NOW), Known(22, "", 17, 26, NOW), *(Known(None, "no_forecast"),) * 2)
    known = dict(zip((each.id for each in STATIONS), was if hours < 0 else will, strict=True))
    rows = tuple(as_then(each, known[each.id]) for each in STATIONS)
    assert shown.hour is not None
    told_for = ((20, NOW + timedelta(hours=20)), (28, NOW + timedelta(hours=28))) if hours > 0 else ()
    hour = msgspec.structs.replace(shown.hour, hours=hours, known=known, told_for=told_for)
    return msgspec.structs.replace(shown, rows=rows, pins=tuple(pin_of(each, town()) for each in rows), hour=hour,
                                   needs=(), chart_svg="", events=None)  # fmt: skip


def reading(words: Words) -> Reading:
    about = StationConfigured(station="S-0012", name="Kluuvi", address="Kluuvikatu 5", lat=60.17, lon=24.95,
                              layout=plain_layout(), zone="Europe/Helsinki")  # fmt: skip
    return Reading(in_language(getattr(words, "language", "en")), {"S-0012": about}, NOW, "Europe/Helsinki")


def all_pages(words: Words) -> dict[str, msgspec.Struct]:
    """Name -> view."""
    pins = tuple(pin_of(each, town()) for each in STATIONS)
    shown_map = views.MapView(
        top("map"), STATIONS, pins, NEEDS, "40 700 900 700", "1.5", town().inner, town().zero, "",
        False, 4, 71, 70, 144,
        charts.day_line([(NOW - timedelta(hours=each), each) for each in range(24, 0, -1)], 144, Look(), words,
                        times=4),
        events="/e", hour=Hour(0, int(NOW.timestamp()) // HOUR_S, "UTC"),
    )  # fmt: skip
    row = SiteRow("S-0013", "Simonkatu", SITE, 22, "Noor", True)
    names = (("S-0012", "Kluuvi"), ("S-0013", "Simonkatu"))
    courier = views_office.CourierRow(AN_ID, AN_ID, "S-0012", "Kluuvi", NOW, None, ("deposit",), "Noor", 86, 3, NOW,
                                ("Acme Post",))
    staff = (views_office.StaffRow("kaisa", "Kaisa", "admin", (), NOW, True, 3, True),
             views_office.StaffRow("timo", "Timo", "technician", ("S-0012",), None, True, 0),
             views_office.StaffRow("old", "Otto", "viewer", (), NOW, False, 1))  # fmt: skip
    return {
        "console-sign-in": views.SignInView("/console", "This key lets nobody in here. Check it."),
        "console-wall": views.WallView(**{name: getattr(shown_map, name) for name in shown_map.__struct_fields__}),
        "console-journal": JournalView(top("map"), "S-0012", "Kluuvi", (STREAM,), LEAF, KINDS, "", True, SAID,
                                             "2026-11-22T15:42"),
        "console-journal-all": JournalOfAllView(
            top("map"), tuple(WrittenBy("S-0012", "Kluuvi", "S-0012", each) for each in LEAF.entries), SAID,
            KINDS, "", names, "", 24, (1, 24), "hours=24", True),
        "console-refused": views.RefusedView("Your role does not allow this", "Ask an admin, under People."),
        "console-out": views.OutView(), "console-map": shown_map,
        "console-map-earlier": at_hour(shown_map, -30), "console-map-forecast": at_hour(shown_map, 20),
        "console-map-none": msgspec.structs.replace(shown_map, rows=(), pins=(), needs=(), all=0, doors=0,
                                                    chart_svg=""),
        "console-needs": views.NeedsView(top("needs"), NEEDS, "/e", 0, NEED_KINDS, query="Simon"),
        "console-needs-none": views.NeedsView(top("needs", needs=0), ()),
        "console-station": station(words, 1), "console-station-fault": station(words, 4),
        "console-station-quiet": station(words, 2, glance=STATIONS[2], chosen=None, power="", latest=(), site=None),
        "console-parcels": views_parcels.ParcelsView(top("parcels"), "PW-1",
                                              (views_parcels.Found("PW-1", AN_ID, "READY", "Kluuvi 14"),)),
        "console-parcels-none": views_parcels.ParcelsView(top("parcels"), "PW-1", ()), "console-parcel": parcel(),
        "console-longer": views.LongerView(top("longer"), tuple((each, True) for each in STATIONS), 48, "storm", 71,
                                           False, (LONGER,), "kaisa", True),
        "console-write-off": WriteOffView(top("map"), "S-0013", "Simonkatu", 71, False, ENDINGS, (), "kaisa", True),
        "console-write-off-asked": WriteOffView(top("map"), "S-0013", "Simonkatu", 71, False, ENDINGS, (LOST,), "noor",
                                                True),
        "console-expired": expired(words), "console-expired-asked": expired(words, OUT),
        "console-expired-quiet": expired(words, OUT_ASKED, is_here=False),
        "console-expired-agree": expired(words, OUT_ASKED, me="noor"),
        "console-expired-ended": expired(words, *OUT_OVER, is_here=False),
        "console-expired-none": expired(words, late=()),
        "console-couriers": views_office.CouriersView(
            top("couriers"), (courier,), names, "41170926", str(AN_ID), more=True, new=AN_ID,
            carriers=(("acme", "Acme Post"), ("kulku", "Kulku")), restored_at=NOW),
        "console-sites-photo": SitesView(top("sites"), (), msgspec.structs.replace(row, photo="/photos/x/3f29"),
                                               (), NOW.date(), papers=PAPERS, may_fetch=True),
        "console-round-order": RoundOrderView(
            top("couriers"), AN_ID, NOW.date(), NOW.date(), (
                PlaceRow("S-0013", "Simonkatu", 1, Passed("S-0013", "unreachable", NOW)),
                PlaceRow("S-0012", "Kluuvi", 2), PlaceRow("S-0014", "Kruununhaka")), NOW, "Noor"),
        "console-round-order-none": RoundOrderView(top("couriers"), AN_ID, NOW.date(), NOW.date(), (), restored_at=NOW),
        "console-sites": SitesView(top("sites"), (row, SiteRow("S-0012", "Kluuvi", None, None)), row,
                                         ((SITE, "Noor"),), NOW.date()),
        "console-policy": views_office.PolicyView(
            top("policy", said="Something is missing.", refused=True), 3,
            knobs_in_words(KNOBS, words),
            (Adopted(3, NOW, "Noor", (("hold_hours", "48", "72"),
                                      ("order_enforced", "", "acme-post kulku-north-and-islands"))),
             Adopted(2, NOW, "", ())), True,
            rows=tuple(map(reading(words).row, ROWS)), rows_all=2_310,
            adopted=tuple((Changed(row, NOW, "Noor", ""), reading(words).row(row)) for row in (ENDED, ROWS[0]))),
        "console-policy-read": views_office.PolicyView(top("policy"), 1, knobs_in_words(KNOBS, words), (), False),
        "console-people": views_office.PeopleView(
            top("people"), staff, (("viewer", "looks"), ("admin", "everything")), names, "pw_" + "4" * 64, "timo",
            who="timo"),
        "console-numbers": numbers(words),
        "console-me": views.MeView(top("me", fresh=True), "kaisa", "everything", ("S-0012",), (("abc", NOW, None),)),
    }  # fmt: skip
