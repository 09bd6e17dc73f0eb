"""What the station shows, as the view of one screen: in the words and the look of this visit. It decides nothing."""

import hashlib
import math
from datetime import datetime
from typing import Literal
from uuid import UUID

from parcelwall.notices.language import N_, Words, languages, words
from parcelwall.notices.saying import Saying
from parcelwall.notices.texts import refusal_text, state_text
from parcelwall.rules import places
from parcelwall.rules.layout import Panel
from parcelwall.rules.screen_note import said_in
from parcelwall.rules.sun import is_dark
from parcelwall.station import looking, taking
from parcelwall.station.house import Station
from parcelwall.station.showing import COVERS, Showing
from parcelwall.web.cabinet import draw as draw_cabinet
from parcelwall.web.cabinet import place_sentence
from parcelwall.web.render import Renderer
from parcelwall.web.views import (
    Alike,
    Courier,
    KioskScreen,
    Language,
    LastDoor,
    Look,
    Pad,
    PadField,
    Service,
    SizeChoice,
)
from parcelwall.web.views_courier import RoadShown

WITH_PICTURE = ("opening", "open", "still-open", "thanks", "stuck", "late", "courier-out", "report", "audit", "several",
                "send-done")  # fmt: skip
SELECTOR = PadField("selector", (4,), masked=False)
CUES = {"wrong": "refused", "unknown": "refused", "no-fit": "refused", "paused": "refused", "send-none": "refused",
        "held": "refused", "stuck": "refused", "open": "tick", "still-open": "nag", "more-time": "nag",
        "thanks": "good", "send-done": "good", "case": "good", "several": "good"}  # fmt: skip
DOORS_A_PAGE = 48
VOLUMES = 3  # steps of the voice, 9 dB each (faces.md A32); the loudest is what the installer has set
HIGH_KEYS_MM = 1100  # faces.md 2.5: lower keys are offered only above that
TOLD = ("already_deposited", "deposit_too_late", "no_right", "station_out_of_service", "cannot_record",
        "proof_missing", "door_busy", "door_failed", "no_fitting_compartment", "label_twice")  # fmt: skip
NO_PASS = N_("This screen has to be opened anew")
OPEN_ANEW = N_("Your code stays good. Whoever looks after this station finds the screen's address in kiosk.url.")
TELLS = ("unknown", "closed", "send-none", "service", "audit", "courier-home")
"""Screens that say a refusal in its own words."""


def look_now(station: Station) -> Look:
    """How this visit wants it, else as the station is configured."""
    chosen, about = station.kiosk.look, station.desk.about
    language = chosen.get("lang") or (about.language if about else "en")
    theme = chosen.get("theme") or ("night" if _dims(station) else "day")
    return Look(
        language=language if language in languages() else "en", theme="night" if theme == "night" else "day",
        contrast=chosen.get("contrast") == "1", text="large" if chosen.get("text") == "large" else "normal",
        zone=about.zone if about else "UTC", sound=chosen.get("sound") != "0", speech=chosen.get("speech") == "1",
        volume={"1": 1, "2": 2}.get(chosen.get("volume", ""), VOLUMES),
        steady=chosen.get("steady") == "1", low=chosen.get("low") == "1",
    )  # fmt: skip


def _dims(station: Station) -> bool:
    """By night a bright screen blinds, and on battery it costs."""
    about = station.desk.about
    return station.desk.on_battery or (about is not None and is_dark(about.lat, about.lon, station.desk.now()))


def stranger(station: Station, renderer: Renderer) -> KioskScreen:
    """What a browser shows that has no pass: nothing of the station but its name."""
    about, look = station.desk.about, look_now(station)
    known = words(look.language)
    return KioskScreen(
        id="lost", station=about.name if about else "Parcelwall", look=look, now=station.desk.now(),
        frame=renderer.build, heading=known.gettext(NO_PASS), lines=(known.gettext(OPEN_ANEW),),
    )  # fmt: skip


def picture(station: Station, renderer: Renderer) -> KioskScreen:
    """The screen's view as it is now."""
    showing, about, look = station.kiosk.showing, station.desk.about, look_now(station)
    if about is None:
        return KioskScreen(id="starting", station="Parcelwall", look=look, now=station.desk.now(), frame=renderer.build)
    known = words(look.language)
    door = _door(station, showing)
    is_open = showing.screen in ("open", "still-open")
    drawn = showing.screen in WITH_PICTURE and door is not None and about.layout.compartment(door) is not None
    left, whole = _countdown(station, showing)
    told = _told(station, showing, known)
    note, note_language = said_in(station.memory.noted, look.language, about.language, station.desk.now())
    return KioskScreen(
        id=showing.screen, station=about.name, address=about.address, station_id=about.station,
        now=station.desk.now(), look=look, visit=str(showing.visit or ""), number=showing.number,
        heading=str(told.heading), lines=(str(told.line),) if told.line else (), door=door,
        place=place_sentence(about.layout, door, known) if door else "",
        cabinet_svg=draw_cabinet(about.layout, known, lit=door, open=is_open) if drawn else "",
        pad=None if showing.screen == "courier-in" and left else _pad(showing, look),
        challenge=_challenge(station, showing), road=_road(station, showing), presence=_presence(station, showing),
        reader=_reader(station, about.layout.panel),
        tries_left=showing.tries_left, seconds=left, seconds_of=whole, ending=_ending(station, showing),
        case=showing.case, retries=showing.retries, stands=showing.stands, phone=station.memory.policy.number_to_call,
        belongs=_belongs(station), seeks=station.elsewhere.is_seeking,
        another=station.kiosk.bringing.offers_another(),
        courier=_courier(station, showing), alone=not station.desk.online,
        since=_since(station, showing), deadline=_deadline(station, showing), keeps=_keeps(station, showing),
        sizes=_sizes(station, showing), alike=_alike(station, showing), receipt=showing.receipt, sends=showing.sends,
        unfit=_is_unfit(station, showing),
        checks=len(showing.checks), asks=showing.found == "ask", service=_service(station, showing),
        puts_in=_is_put_in(station, showing), puts_right=_is_put_right(station, showing),
        again=station.kiosk.righting.offered(), saving_power=station.desk.on_battery,
        no_sending=_no_sending(station, showing),
        can_lower=about.layout.panel is not None and _top_keys_mm(about.layout.panel) > HIGH_KEYS_MM,
        languages=tuple(Language(code, name) for code, name in languages().items()),
        cue=_cue_over_a_door(station, showing) or cue_of(showing), frame=renderer.build,
        note=note, note_language=note_language,
    )  # fmt: skip


def cue_of(showing: Showing) -> str:
    """The sound of a screen; a technician who tests the sound hears the one of two notes, as the screen says, and who
    is not heard (a courier's code, a report that could not be written) the one of a refusal."""
    if showing.screen == "service":
        return "good" if showing.found == "sound" else ""
    if showing.screen in ("courier-in", "case", "keep") and showing.refusal:
        return "refused"
    return CUES.get(showing.screen, "")


def _cue_over_a_door(station: Station, showing: Showing) -> str:
    """Help and looks are no reason for a door that stands open to fall silent."""
    visit = station.kiosk.open_visit() if showing.screen in COVERS else None
    if visit is None or visit.opened_at is None:
        return ""
    return "nag" if station.kiosk.nags(visit) else "tick"


def _since(station: Station, showing: Showing) -> datetime | None:
    """Since when it is closed because its doors are wired otherwise; None where it is not, or nobody can say."""
    if showing.screen != "closed" or not station.desk.doors_changed:
        return None
    cases = [each for each in station.memory.book.cases.values() if each.about == "doors_not_walked"]
    return min((each.opened_at for each in cases if each.closed_at is None), default=None)


def _deadline(station: Station, showing: Showing) -> datetime | None:
    """Until when a parcel stays, or should have been collected, where the screen speaks of that."""
    if showing.screen == "kept" and station.elsewhere.kept:
        return station.elsewhere.kept.until
    which = showing.parcel if showing.screen == "kept" else _parcel_of(station, showing)
    parcel = station.desk.memory.parcel(which) if showing.screen in ("kept", "late") else None
    return parcel.collect_by if parcel else None


def _keeps(station: Station, showing: Showing) -> Literal["", "wrong", "asks", "longer", "no", "alone"]:
    if showing.screen == "keep":
        return "wrong" if showing.refusal else ""
    if showing.screen != "kept":
        return ""
    if kept := station.elsewhere.kept:
        return "longer" if kept.longer else "no"
    return "asks" if station.elsewhere.is_awaited else "alone"


def _belongs(station: Station) -> str:
    """The other station that this screen names, once the hub has said which."""
    place = station.elsewhere.place
    return ", ".join(part for part in (place.name, place.address) if part) if place else ""


def _parcel_of(station: Station, showing: Showing) -> UUID | None:
    visit = next((each for each in station.desk.unfinished() if each.id == showing.visit), None)
    return visit.parcel if visit else None


def _told(station: Station, showing: Showing, known: Words) -> Saying:
    """Words for a door that an operator opened from afar, and for what is refused for its own reason; else the
    screen's own words stand."""
    if showing.screen in ("opening", "open", "still-open") and (why := _opened_from_afar(station, showing)):
        return state_text(why, known, door=showing.door)
    if showing.screen == "case" and showing.refusal:
        return state_text("not_recorded_put_nothing_in" if _is_put_in(station, showing) else "not_recorded", known)
    if showing.screen == "closed" and showing.refusal == "station_out_of_service":
        return state_text("closed", known)  # not "Choose another station": for whom a parcel waits, it waits here
    if showing.screen not in TELLS or showing.refusal not in TOLD:
        return Saying("")
    return refusal_text(showing.refusal, known, "kiosk", door=showing.door)


def _opened_from_afar(station: Station, showing: Showing) -> str:
    """What is said of a door that an operator has opened from afar: to look behind it, and nobody at the screen is to
    take anything out; or for somebody of theirs who takes out what is late. "" for any other."""
    visit = next((each for each in station.desk.unfinished() if each.id == showing.visit), None)
    if visit is None or visit.courier is not None:
        return ""
    if visit.purpose == "take_back":
        return "opened_to_take_out"
    return "opened_by_operator" if visit.purpose == "inspect" else ""


def _is_unfit(station: Station, showing: Showing) -> bool:
    """Whether nothing is left behind the door that is open."""
    return any(each.id == showing.visit and (each.unfit or each.taken_out) for each in station.desk.unfinished())


def _is_put_right(station: Station, showing: Showing) -> bool:
    return any(each.id == showing.visit and each.purpose == "put_right" for each in station.desk.unfinished())


def _is_put_in(station: Station, showing: Showing) -> bool:
    return any(visit.id == showing.visit and visit.purpose == "deposit" for visit in station.desk.unfinished())


def _no_sending(station: Station, showing: Showing) -> Literal["", "full", "out"]:
    """Asked on the home screen alone: it is what senders see first."""
    if showing.screen != "home":
        return ""
    if station.memory.reserve.is_low or station.desk.battery_is_low:
        return "out"
    return "" if any(free for _, free in station.kiosk.free_by_size()) else "full"


def _reader(station: Station, panel: Panel | None) -> Literal["below", "above", "left", "right"] | None:
    """Where it is, as the layout says; None where there is none, or it does not answer."""
    if not station.kiosk.has_reader:
        return None
    return panel.reader if panel else "below"


def _top_keys_mm(panel: Panel) -> float:
    """How high the middle of the pad's top row is above the ground: 219 of 800 pixels below the screen's upper edge."""
    return panel.y_mm + panel.height_mm * (1 - 219 / 800)


def _pad(showing: Showing, look: Look) -> Pad | None:
    if showing.screen in ("home", "wrong", "send-scan"):
        return Pad(steady=look.steady)
    if showing.screen == "selector":
        return Pad((SELECTOR,), steady=look.steady)
    if showing.screen in ("paused", "keep"):
        post = "/keep" if showing.screen == "keep" else "/code"
        return Pad((PadField("digits", (4, 4)), SELECTOR), post, steady=look.steady)
    if showing.screen == "courier-in":
        return Pad(post="/sign-in", steady=look.steady)
    return None


def _challenge(station: Station, showing: Showing) -> str:
    return station.kiosk.by_phone.challenge.shown() if showing.screen == "courier-in" else ""


def _road(station: Station, showing: Showing) -> RoadShown | None:
    if showing.screen != "courier-sync":
        return None
    road, (have, of) = station.kiosk.by_phone.road, station.kiosk.by_phone.road.read
    name = hashlib.sha256("".join(road.sheets).encode()).hexdigest()[:12]
    return RoadShown(name, len(road.sheets), road.unsent, road.later, have, of, station.kiosk.by_phone.outcome)


def _presence(station: Station, showing: Showing) -> str:
    """The number of this half minute. The one before is good as well, so a screen that is drawn late shows no lie."""
    return station.presence.number() if showing.screen in ("home", "asleep") and station.desk.online else ""


def _countdown(station: Station, showing: Showing) -> tuple[int, int]:
    if showing.paused_until is not None:
        left = math.ceil((showing.paused_until - station.desk.now()).total_seconds())
        return max(0, min(left, showing.wait_s)), showing.wait_s
    if showing.until is None or showing.screen not in ("thanks", "several", "more-time"):
        return 0, 0
    return max(0, round((showing.until - station.desk.now()).total_seconds())), showing.lasts_s


def _door(station: Station, showing: Showing) -> int | None:
    if showing.screen == "courier-out":
        first = taking.next_out(station.desk)
        return first.compartment if first else None
    return showing.door


def _ending(station: Station, showing: Showing) -> str:
    if showing.screen == "courier-out":
        first = taking.next_out(station.desk)
        return first.selector if first else ""
    return showing.ending


def _courier(station: Station, showing: Showing) -> Courier | None:
    if showing.courier is None:
        return None
    last, again = showing.last, station.kiosk.righting.offered()
    return Courier(
        to_bring=sum(each.direction != "return" for each in station.desk.expected()),
        to_take=len(taking.waiting(station.desk)),
        may_check=looking.may_look(station.desk, showing.courier),
        free=tuple(station.kiosk.free_by_size()), brought=showing.brought, taken=showing.taken,
        last=LastDoor(last.door, last.ending, last.result, again=last.door == again) if last else None,
    )  # fmt: skip


def _sizes(station: Station, showing: Showing) -> tuple[SizeChoice, ...]:
    """The sizes that fit, the proposed one marked. Senders are told whether one is free, couriers also how many."""
    if showing.screen not in ("courier-size", "send-size") or showing.parcel is None:
        return ()
    desk = station.desk
    parcel = desk.memory.parcel(showing.parcel)
    if parcel is None:
        return ()
    counts = dict(station.kiosk.free_by_size()) if showing.courier else {}
    fitting = dict(places.sizes_with_room(desk.plan, desk.room(), parcel))
    return tuple(
        SizeChoice(size.name, size.width_mm, size.height_mm, size.depth_mm,
                   (counts.get(size.name) if showing.courier else None) if fitting.get(size.name) else 0,
                   proposed=size.name == showing.found)
        for size in sorted(desk.plan.layout.sizes, key=lambda size: size.width_mm * size.height_mm * size.depth_mm)
    )  # fmt: skip


def _alike(station: Station, showing: Showing) -> tuple[Alike, ...]:
    """Parcels with one label, by whose they are, the end of their number and their size: what is printed on each."""
    known = [station.desk.memory.parcel(each) for each in showing.alike]
    return tuple(Alike(str(each.id), each.carrier, each.selector, each.size or "") for each in known if each)


def _service(station: Station, showing: Showing) -> Service | None:
    if showing.technician is None:
        return None
    desk = station.desk
    taken = {parcel.compartment for parcel in desk.inside()}
    empty = [number for number in sorted(desk.plan.place) if number not in taken]
    first = showing.page % max(1, -(-len(empty) // DOORS_A_PAGE)) * DOORS_A_PAGE
    return Service(
        why=showing.why, doors=tuple(empty[first : first + DOORS_A_PAGE]), more=len(empty) > DOORS_A_PAGE,
        seen=station.kiosk.servicing.doors_seen(), tested=showing.found, read=showing.wait_s, online=desk.online,
        unsent=station.memory.unsent(),
    )  # fmt: skip
