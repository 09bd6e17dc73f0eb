"""One parcel as its recipient sees it: own code, own door, time left, and what may be done about it."""

from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from parcelwall import clock
from parcelwall.hub import accounts, contacts, door_story, friends, passkeys, reading, watching
from parcelwall.hub.codes import code_of, token_of, verified_token_of
from parcelwall.hub.door_story import Seen
from parcelwall.hub.house import Hub
from parcelwall.hub.signed_in import SignedIn
from parcelwall.notices import times
from parcelwall.notices.language import Words, words
from parcelwall.notices.texts import refusal_text, state_text
from parcelwall.rules import access, token
from parcelwall.rules.life import ENDED, INSIDE, Parcel, Stage
from parcelwall.rules.sentence import sentence
from parcelwall.web.cabinet import draw as draw_cabinet
from parcelwall.web.cabinet import place_sentence
from parcelwall.web.tracking import place_of, say_linked, steps_of
from parcelwall.web.views import (
    DoorNews,
    Extension,
    Look,
    Other,
    OwnDoor,
    RecipientStage,
    RecipientView,
    Verify,
    Way,
)

STAGES: dict[Stage, RecipientStage] = {
    Stage.ANNOUNCED: "coming", Stage.RESERVED: "coming", Stage.READY: "ready", Stage.OVERDUE: "late",
    Stage.COLLECTED: "collected", Stage.TAKEN_BACK: "gone", Stage.DIVERTED: "diverted", Stage.CANCELLED: "cancelled",
    Stage.WRITTEN_OFF: "lost",
}  # fmt: skip
OF_OPENING = ("station_offline", "not_present", "order_late", "order_unknown", "order_repeated", "door_busy",
              "door_rests", "cannot_record", "station_out_of_service", "door_failed", "too_many_tries", "wrong_code",
              "wrong_stage", "proof_missing", "held_back")  # fmt: skip
SENDS = {Stage.RESERVED: "send_it", Stage.READY: "sent", Stage.OVERDUE: "sent"}
"""What is said of a return, which its own sender brings and a courier takes along."""
STILL_OPEN = timedelta(seconds=30)
LEFT_STEPS = ((7200, 3600), (600, 300), (0, 60))  # from so many seconds on, in steps of so many
EXTENDS_IN = timedelta(minutes=10)  # how finely a page says until when what is late already would be kept


async def view(
    hub: Hub, parcel: Parcel, secret: str, look: Look, said: str = "", who: SignedIn | None = None
) -> RecipientView:
    """What the page shows now, to whoever holds its link; `who` is signed in in this browser."""
    known, now, inside = words(look.language), hub.clock.now(), parcel.stage in INSIDE
    sends = parcel.direction == "return"
    free = inside and not parcel.blocked and not sends
    told = sentence(parcel, now)
    heading, line = heading_of(hub, parcel, look)
    code = send_code_of(hub, parcel) if sends else code_of(hub, parcel) if free and parcel.proof == "code" else ""
    lasts = inside and not sends and not parcel.blocked  # what is held back is nobody's for 41 hours more
    case = await reading.open_case_of(hub, parcel)
    paused = lasts and case is not None and case.stops
    left, total = _left_and_total(parcel, now) if lasts and not paused else (0, 0)
    notice, refused = notice_of("held_back" if inside and sends and parcel.blocked else said, parcel, known, look)
    log = await door_story.story(hub, parcel)
    received = await door_story.received(hub, parcel) if sends else None
    door = own_door(hub, parcel, look, log) if inside else None
    stands_open = door is not None and door.state != "shut"
    verify = await _verify(hub, parcel, who) if free or not (inside or sends) else None
    return RecipientView(
        stage="held" if inside and (verify or parcel.blocked) else STAGES[parcel.stage], heading=heading, line=line,
        reference=parcel.reference, here=f"/p/{secret}", events=_events(secret, look, said),
        station=place_of(hub, parcel, look) if parcel.station else None, moved_from=await _moved_from(hub, parcel),
        door=door, code=(code[:4], code[4:]) if code else (),
        qr=_qr(hub, parcel, who, verify) if free else "",
        selector=(parcel.selector or access.selector(parcel.reference)) if free and code else "",
        collect_by=parcel.collect_by if lasts and not paused else None, paused=paused, left_s=left, total_s=total,
        steps=steps_of(parcel, told, known) if not (inside or sends) else (), extension=_extension(hub, parcel),
        notice=notice, refused=refused, case=case.name if case else "",
        can_report=inside or parcel.stage == Stage.COLLECTED, can_open=free and verify is None and not stands_open,
        can_share=free and verify is None, others=await _others(hub, parcel), verify=verify,
        log=tuple(DoorNews(each.what, each.at) for each in log),
        kept=bool(who and await accounts.how_joined(hub, who.holder, parcel.id)), as_of=now,
        receipt=received[0] if received else "", received_at=received[1] if received else None,
        alone=free and await watching.is_alone(hub, parcel.station or ""),
    )  # fmt: skip


def ending(reference: str) -> str:
    """How people call a parcel: the last four letters and digits of its number, without what stands between them."""
    return "".join(each for each in reference if each.isalnum())[-4:]


def heading_of(hub: Hub, parcel: Parcel, look: Look) -> tuple[str, str]:
    """What the page, and its row in the list, say first; and the line below it."""
    known = words(look.language)
    if parcel.blocked and parcel.stage in INSIDE and parcel.direction != "return":
        held = refusal_text("held_back", known, "phone")
        return str(held.heading), str(held.line)
    saying = say_linked(hub, parcel, sentence(parcel, hub.clock.now()), known, look.zone)
    station = hub.stations.known.get(parcel.station or "")
    if parcel.direction == "return" and station and (saying_of := SENDS.get(parcel.stage)):
        until = times.moment(parcel.deposit_by, look.zone, known) if parcel.deposit_by else None
        told = state_text(saying_of, known, station=station.about.name, time=until)
        return str(told.heading), str(told.line)
    if parcel.stage == Stage.READY and station:
        until = times.moment(parcel.collect_by, look.zone, known) if parcel.collect_by else ""
        said_of = {"station": station.about.name, "door": parcel.compartment, "place": "", "time": until}
        return str(state_text("ready", known, **said_of).heading), ""
    return str(saying.heading), str(saying.line)


def send_code_of(hub: Hub, parcel: Parcel) -> str:
    """What the sender of a return types at the station; "" while no room is promised, and once it is in."""
    station = hub.stations.known.get(parcel.station or "")
    if parcel.stage != Stage.RESERVED or station is None or parcel.reservation is None:
        return ""
    return access.send_code(station.code_key, station.about.station, parcel.reservation, parcel.generation)


def _left_and_total(parcel: Parcel, now: datetime) -> tuple[int, int]:
    """The holding time left and in all, in seconds: what is left in whole steps, so that a page that is only looked at
    stays as it is."""
    if parcel.collect_by is None or parcel.deposited_at is None:
        return 0, 0
    left_s = max(0, int((parcel.collect_by - now).total_seconds()))
    step_s = next(step_s for above_s, step_s in LEFT_STEPS if left_s >= above_s)
    return left_s - left_s % step_s, int((parcel.collect_by - parcel.deposited_at).total_seconds())


def _events(secret: str, look: Look, said: str) -> str:
    """Where this very page goes on: what it was just told stays on it."""
    return f"/p/{secret}/events?" + urlencode({"lang": look.language, **({"said": said} if said else {})})


async def _moved_from(hub: Hub, parcel: Parcel) -> str:
    before = await door_story.moved_from(hub, parcel) if parcel.stage not in ENDED else None
    station = hub.stations.known.get(before or "")
    return station.about.name if station else ""


def _qr(hub: Hub, parcel: Parcel, who: SignedIn | None, verify: Verify | None) -> str:
    if verify is None:
        return token_of(hub, parcel)
    return verified_token_of(hub, parcel, who.proved_at) if verify.until and who and who.proved_at else ""


def qr_act(parcel: UUID) -> str:
    """The act of a passkey that is shown for a QR."""
    return f"qr {parcel}"


async def _verify(hub: Hub, parcel: Parcel, who: SignedIn | None) -> Verify | None:
    """How far somebody has come in showing that this parcel is theirs in person; None where nobody asks."""
    if parcel.proof != "verified" or parcel.stage in ENDED:
        return None
    account = who.holder if who else None
    if await accounts.is_anothers(hub, account, parcel.id):
        return Verify("elsewhere")
    if account is None or await accounts.how_joined(hub, account, parcel.id) != "contact":
        ways = [Way(each.kind, each.masked) for each in await contacts.of_parcel(hub, parcel)]
        return Verify("contact", tuple(ways))
    if not await passkeys.of_holder(hub, account):
        return Verify("passkey")
    proved_at = who.proved_at if who and who.proved_act == qr_act(parcel.id) else None
    until = proved_at + token.VERIFIED_LASTS if proved_at else None
    return Verify("show", until=until if until and until > hub.clock.now() else None)


async def _others(hub: Hub, parcel: Parcel) -> tuple[Other, ...]:
    """Those who may collect instead, while that is so."""
    return tuple(
        Other(str(each.grant), each.until, friends.link_of(hub, each.grant))
        for each in await friends.of_parcel(hub, parcel) if each.until
    )  # fmt: skip


def own_door(hub: Hub, parcel: Parcel, look: Look, log: list[Seen] | None = None) -> OwnDoor | None:
    """The door behind which it lies, drawn shut, or open while its contact says so."""
    station = hub.stations.known.get(parcel.station or "")
    if station is None or parcel.compartment is None:
        return None
    known, layout, door = words(look.language), station.about.layout, parcel.compartment
    moved = [each for each in log or () if each.what != "code"]
    opened_at = moved[-1].at if moved and moved[-1].what == "opened" else None
    late = opened_at is not None and hub.clock.now() - opened_at > STILL_OPEN
    found = layout.compartment(door)
    return OwnDoor(
        door, place_sentence(layout, door, known), draw_cabinet(layout, known, lit=door, open=opened_at is not None),
        within_reach=parcel.reach and found is not None and found.within_reach,
        state="still-open" if late else "open" if opened_at else "shut",
    )  # fmt: skip


def _extension(hub: Hub, parcel: Parcel) -> Extension | None:
    if parcel.direction == "return" or parcel.blocked:
        return None
    if parcel.stage not in INSIDE or parcel.extensions >= hub.policy.extensions or parcel.collect_by is None:
        return None
    now = hub.clock.now()
    from_when = max(parcel.collect_by, now - (now - parcel.collect_by) % EXTENDS_IN)
    return Extension(from_when + timedelta(hours=hub.policy.extend_hours), now=clock.text(parcel.collect_by))


def notice_of(said: str, parcel: Parcel, known: Words, look: Look) -> tuple[str, bool]:
    """What was just done or refused, in one sentence."""
    until = times.moment(parcel.collect_by, look.zone, known) if parcel.collect_by else ""
    if said == "kept" and parcel.collect_by:
        return state_text("kept_longer", known, time=until).whole(), False
    if said in ("too_many_extensions", "too_late_to_extend"):
        return refusal_text("too_late_to_extend", known, "phone", time=until).whole(), True
    if said == "opened":
        return state_text("opened_for_you", known, door=parcel.compartment).whole() if parcel.compartment else "", False
    if said in ("shown", "passkey", "not_sent"):
        return state_text("number_not_sent" if said == "not_sent" else f"me_{said}", known).whole(), said == "not_sent"
    said = "order_late" if said == "unanswered" else said  # nothing will open any more, either way
    if said in OF_OPENING and parcel.stage in INSIDE:  # once it is out, why a door stayed shut is of no use
        return refusal_text(said, known, "phone", door=parcel.compartment).whole(), True
    return "", False
