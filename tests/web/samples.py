"""Sample views: every page and every screen in a state that happens, for the template tests and the gallery."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import msgspec

from parcelwall.notices.texts import languages
from parcelwall.rules import delegation
from parcelwall.rules.layout import Layout, plain_layout
from parcelwall.web import cabinet, views
from parcelwall.web.demo_town import Followed, Pacing, TownView
from parcelwall.web.map import station_map
from parcelwall.web.render import Words
from parcelwall.web.tracking import STEPS
from parcelwall.web.views_courier import RoadShown
from web import samples_console
from web.said import in_words
from web.samples_courier import courier
from web.samples_recipient import recipient

NOW = datetime(2026, 11, 22, 15, 42, 10, tzinfo=UTC)
DEADLINE = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
LAYOUT: Layout = plain_layout("SSSSSSMMSSSL SSSMMMMMSSSS MMSSSSSSLSSS SSMMMMMSSSSS")
KLUUVI = (60.1692, 24.9440)
TOKEN = "PW1:" + "0123456789ABCDEFGHJKMNPQRSTVWXYZ" * 4 + "7F329QPW7F329Q4711"
WALLS = dict[str, str]
LANGUAGES = tuple(views.Language(*pair) for pair in languages().items())
PAD = views.Pad()
KEEP_PAD = views.Pad((views.PadField("digits", (4, 4)), views.PadField("selector", (4,), masked=False)), "/keep")
PAUSED_PAD = views.Pad((views.PadField("digits", (4, 4)), views.PadField("selector", (4,))))
DAILY_PAD = views.Pad((views.PadField("daily", (4, 4)),))
NOTE = "The door to the yard is shut until 14:00. Please come in from Aleksanterinkatu, past the flower shop there."
FREE = (("S", 9), ("M", 4), ("L", 1), ("XL", 0))


def all_views(words: Words) -> dict[str, msgspec.Struct]:
    """Name -> view, in reading order of the faces."""
    kiosk = {f"kiosk-{name}": screen for name, screen in kiosk_screens(words).items()}
    own = recipient(words, place(), steps(2))
    shown = {**tracking(), **own, **courier(words, LAYOUT, NOW), **kiosk, **console(words), **demo(words)}
    return {name: in_words(view, words) for name, view in shown.items()}


def place(with_map: bool = True) -> views.Place:
    drawn = station_map(*KLUUVI) if with_map else None
    return views.Place("Kluuvi", "Aleksanterinkatu 19, Helsinki", ("In the passage, behind the flower shop.",), drawn,
                       photo="/photos/S-0012/3f29")  # fmt: skip


def steps(now: int, expected: bool = True) -> tuple[views.Step, ...]:
    """What has come has its time; of what is to come only the compartment has one, if it is `expected`."""
    whens = [*(NOW + timedelta(minutes=minutes) for minutes in (-2700, -600, -480, 53)), None]
    states = ["done"] * now + ["now"] + ["next"] * (4 - now)
    return tuple(
        views.Step(words, state, when if state != "next" or (at == 3 and expected) else None, state == "next")  # type: ignore[arg-type]
        for at, (words, state, when) in enumerate(zip(STEPS, states, whens, strict=True))
    )


def tracking() -> dict[str, msgspec.Struct]:
    short = ("Announced", "On the way", "Out for delivery", "Ready to collect", "Collected")
    return {
        "track-find": views.FindView(),
        "track-find-mistyped": views.FindView("PW-7F3-29O", check_digit_wrong=True),
        "track-sentence": views.SentenceView("PW-7F3-29Q", "On the way", 1, short, date(2026, 11, 23), events="/e"),
        "track-sentence-ready": views.SentenceView("PW-7F3-29Q", "Ready to collect", 3, short, events="/e"),
        "track-van": views.TrackView("Out for delivery to Kluuvi", "In a compartment by about 17:35. You get the code "
                                     "then.", steps(2), place(), as_of=NOW, events="/t/x/events"),
        "track-ready-window": views.TrackView("On the way to Kluuvi", "", steps(1), place(), events="/t/x/events",
                                              ready=(NOW + timedelta(hours=16), NOW + timedelta(hours=40))),
        "track-waiting": views.TrackView("Waiting at Kluuvi", "The code is in your message.", steps(3), place(),
                                         collect_by=DEADLINE, events="/t/x/events"),
        "track-late": views.TrackView("At the Vantaa depot", "The road is closed. No new time yet.", steps(1, False),
                                      place(False), trouble=True),
        "track-collected": views.TrackView("Collected", "Sunday 22 November.", steps(4), place()),
        "track-not-found": views.NotFoundView(),
        "track-no-link": views.NotFoundView(link=True),
        "track-slow-down": views.SlowDownView(1800),
        "track-refused": views.RefusedView("That did not go through", "Go back and try once more.", "parcel", "/p/x"),
    }  # fmt: skip


def screen(words: Words, id: views.ScreenId, **more: object) -> views.KioskScreen:
    values: dict[str, object] = {
        "station": "Kluuvi", "address": "Aleksanterinkatu 19", "station_id": "S-0012", "now": NOW, "visit": "v1",
        "number": 7, "languages": LANGUAGES, "look": views.Look(theme="day"), **more,
    }  # fmt: skip
    number = more.get("door")
    if isinstance(number, int):
        shown_open = id in ("open", "still-open")
        values["cabinet_svg"] = cabinet.draw(LAYOUT, words, lit=number, open=shown_open)
        values["place"] = cabinet.place_sentence(LAYOUT, number, words)
    return views.KioskScreen(id, **values)  # type: ignore[arg-type]


def kiosk_screens(words: Words) -> dict[str, views.KioskScreen]:
    def at(id: views.ScreenId, **more: object) -> views.KioskScreen:
        return screen(words, id, **more)

    return {
        "home": at("home", pad=PAD, presence="042"),
        "home-alone": at("home", pad=PAD, alone=True),
        "home-noted": at("home", pad=PAD, presence="042", note_language="en", note=NOTE),
        "selector": at("selector", pad=views.Pad((views.PadField("selector", (4,)),))),
        "wrong": at("wrong", pad=PAD, tries_left=2, cue="refused"),
        "paused": at("paused", pad=PAUSED_PAD, seconds=24, seconds_of=30),
        "paused-over": at("paused", pad=PAUSED_PAD, seconds_of=30),
        "opening": at("opening", door=19),
        "open": at("open", door=19, cue="tick"),
        "open-far": at("open", door=47, cue="tick"),
        "open-large": at("open", door=26, cue="tick"),
        "still-open": at("still-open", door=19, cue="nag"),
        "thanks": at("thanks", door=19, seconds=8, seconds_of=10, retries=True),
        "thanks-taken-out": at("thanks", door=19, sends=True),
        "several": at("several", door=26, seconds=11, seconds_of=14),
        "stuck": at("stuck", door=19, case="C-2041", stands=True, retries=True),
        "stuck-rests": at("stuck", door=19, case="C-2041", stands=True, retries=True, seconds=24, seconds_of=26),
        "stuck-used": at("stuck", door=19, retries=True, seconds=24, seconds_of=26),
        "stuck-used-long": at("stuck", door=19),
        "stuck-bringing": at("stuck", door=19, case="C-2041", another=True),
        "stuck-bringing-rests": at("stuck", door=19, retries=True, seconds=24, seconds_of=26, another=True),
        "late": at("late", door=19, deadline=DEADLINE),
        "report": at("report", door=19),
        "case": at("case", case="C-2041"),
        "more-time": at("more-time", seconds=14, seconds_of=20),
        "help": at("help", phone="+358 9 4245 0100"),
        "help-no-number": at("help"),
        "help-at-a-door": at("help", phone="+358 9 4245 0100", door=19, cue="tick"),
        "look-at-a-door": at("look", door=19, cue="tick"),
        "look": at("look"),
        "closed": at("closed", since=NOW - timedelta(hours=2), belongs="Simonkatu, Simonkatu 8, Helsinki"),
        "closed-alone": at("closed", since=NOW - timedelta(hours=2), alone=True, seeks=True),
        "starting": at("starting", seconds=3),
        "asleep": at("asleep", presence="042"),
        "home-battery": at("home", pad=PAD, saving_power=True),
        "home-no-reader": at("home", pad=PAD, presence="042", reader=None),
        "home-full": at("home", pad=PAD, no_sending="full", presence="042"),
        "home-alone-out": at("home", pad=PAD, no_sending="out", saving_power=True, alone=True),
        "held": at("held"),
        "keep": at("keep", pad=KEEP_PAD),
        "keep-wrong": at("keep", pad=KEEP_PAD, keeps="wrong", tries_left=2, cue="refused"),
        "kept": at("kept", keeps="longer", deadline=DEADLINE), "kept-asks": at("kept", keeps="asks", deadline=DEADLINE),
        "kept-no": at("kept", keeps="no", deadline=DEADLINE),
        "kept-alone": at("kept", keeps="alone", alone=True, deadline=NOW - timedelta(hours=2)),
        "held-number": at("held", phone="+358 9 4245 0100"),
        **sender_screens(at),
        "lost": at("lost", door=19),
        **courier_screens(at),
    }


CHALLENGE = delegation.challenge("S-0012", bytes(range(16)))
ROAD = RoadShown("3f1c", 7, 128, later=40, read=2, read_of=9)


def sender_screens(at: Callable[..., views.KioskScreen]) -> dict[str, views.KioskScreen]:
    sizes = tuple(views.SizeChoice(each.name, each.width_mm, each.height_mm, each.depth_mm,
                                   0 if each.name == "S" else None, each.name == "M")
                  for each in LAYOUT.sizes)  # fmt: skip
    seen = {"open": 1, "closed": 46, "unknown": 1}
    job = views.Service("repair", tuple(range(1, 49)), seen=seen, online=True, unsent=3)
    change = msgspec.structs.replace
    return {
        "send-scan": at("send-scan", pad=PAD),
        "send-size": at("send-size", sizes=sizes, ending="2917"),
        "send-open": at("open", door=19, sends=True, cue="tick"),
        "send-unfit": at("open", door=19, sends=True, unfit=True, cue="tick"),
        "send-none": at("send-none"),
        "send-done": at("send-done", door=19, ending="2917", receipt="S-0012-4711", again=19),
        "send-done-later": at("send-done", door=19, ending="2917", receipt="S-0012-4711"),
        "send-right": at("still-open", door=19, puts_right=True, cue="nag"),
        "service-why": at("service", service=views.Service()),
        "service": at("service", service=job),
        "service-sensors": at("service", service=change(job, tested="sensors", more=True)),
        "service-network": at("service", service=change(job, tested="network", online=False)),
    }


def courier_screens(at: Callable[..., views.KioskScreen]) -> dict[str, views.KioskScreen]:
    last, out = views.LastDoor(19, "2917"), views.LastDoor(26, "2917", "out", again=False)
    courier = views.Courier(12, 3, FREE, brought=7, last=last)
    sizes = tuple(views.SizeChoice(each.name, each.width_mm, each.height_mm, each.depth_mm, dict(FREE)[each.name],
                                   each.name == "M") for each in LAYOUT.sizes)  # fmt: skip
    return {
        "courier-in": at("courier-in", pad=DAILY_PAD, challenge=CHALLENGE),
        "courier-in-paused": at("courier-in", challenge=CHALLENGE, seconds=24, seconds_of=30),
        "courier-sync": at("courier-sync", courier=courier, alone=True, road=ROAD),
        "courier-synced": at("courier-sync", courier=courier, alone=True, road=RoadShown("", 0, 0, outcome="kept")),
        "courier-home": at("courier-home", courier=msgspec.structs.replace(courier, last=None)),
        "courier-scan": at("courier-scan", courier=courier),
        "courier-size": at("courier-size", courier=courier, sizes=sizes, ending="2917"),
        "courier-which": at("courier-which", courier=courier, alike=(
            views.Alike("p1", "posti", "2917", "S"), views.Alike("p2", "matkahuolto", "2917", "M"),
            views.Alike("p3", "", "0386", "S"))),
        "courier-label": at("courier-label", courier=courier),
        "courier-open": at("open", door=33, courier=courier, puts_in=True),
        "courier-still-open": at("still-open", door=33, courier=courier, puts_in=True, cue="nag"),
        "courier-right": at("open", door=19, courier=courier, puts_right=True, cue="tick"),
        "courier-taken-out": at("open", door=19, courier=courier, puts_right=True, unfit=True, cue="tick"),
        "courier-report": at("report", door=33, courier=courier, puts_in=True),
        "audit": at("audit", door=26, courier=courier, checks=4),
        "audit-asks": at("audit", door=26, courier=courier, checks=4, asks=True),
        "courier-out": at("courier-out", door=33, courier=msgspec.structs.replace(courier, last=out), ending="0386"),
        "courier-bye": at("courier-bye", courier=msgspec.structs.replace(courier, taken=3)),
        "no-fit": at("no-fit", courier=courier, ending="2917", belongs="Simonkatu, Simonkatu 8, Helsinki"),
        "no-fit-alone": at("no-fit", courier=courier, ending="2917", alone=True, seeks=True),
        "unknown": at("unknown", courier=courier, belongs="Simonkatu, Simonkatu 8, Helsinki"),
        "unknown-alone": at("unknown", courier=courier, alone=True, seeks=True),
    }


def console(words: Words) -> dict[str, msgspec.Struct]:
    field = views.ApiField("length_mm", "whole number", "The longest side.", required=True)
    call = views.ApiCall("POST", "/api/v1/parcels", "Announce a parcel.", (), (field,), ("201: announced",))
    return {
        **samples_console.all_pages(words),
        "console-api": views.ApiView("Parcelwall", "1", (views.ApiGroup("parcels", (call,)),)),
    }


def demo(words: Words) -> dict[str, msgspec.Struct]:
    text = "Your parcel is at Kluuvi, door 19, until Tue 10:30.\n\nCode 4719 0622\n\nhttp://127.0.0.1:8600/p/abc."
    face = views.Face
    states: dict[int, cabinet.State] = {19: "open", 5: "fault", 22: "used", 21: "used", 3: "unknown"}
    wall = cabinet.draw(LAYOUT, words, lit=19, view="operator", states=states, link="?door=")
    doors = tuple(views.PretendDoor(each.number, each.size, each.number == 19, each.number == 5)
                  for each in LAYOUT.compartments)  # fmt: skip
    return {
        "demo-start": views.StartView(
            (face("Tracking", "What anybody sees with a number.", "/", "magnifying-glass"),
             face("Mails", "What recipients get, with their links.", "/mails", "envelope-simple"),
             face("Console", "All stations, live.", "/enter?who=operator", "list-checks"),
             face("Pretend doors", "Be the hand: pull, push, jam.", "/pretend", "hand-pointing")),
            (face("Kluuvi", "Kiosk of S-0012", "http://127.0.0.1:8601/", "lockers"),),
            (("A number to track", "PW-7F3-29Q"), ("A courier's code of today", "41170926"))),
        "demo-town": TownView(
            NOW, Pacing(60, True, False), Followed("PW-7F3-2917", "S-0012", "/t/x"), "Kluuvi",
            ((NOW, "The courier puts PW-7F3-2917 behind door 19 of S-0012."),), (),
        ),
        "demo-mails": views.MailsView((views.MailRow("/mails/1", "aino@example.org", "Ready at Kluuvi, door 19", NOW),
                                       views.MailRow("/mails/2", "bo@example.org", "<script>alert(1)</script>", NOW)),
                                      "/mails/events"),
        "demo-mails-none": views.MailsView(()),
        "demo-mail": views.MailView("Ready at Kluuvi, door 19", "hub@example.org", "aino@example.org", NOW, text),
        "demo-pretend": views.PretendView("Kluuvi", "S-0012", "/pretend/S-0012", doors, wall, 19,
                                          (face("Kluuvi", "", "/pretend/S-0012"), face("Simonkatu", "", "/pretend/2")),
                                          "http://127.0.0.1:8601/", labels=("PW-7F3-29Q",), said="Door 19 moved.",
                                          events="/pretend/S-0012/events"),
    }  # fmt: skip
