"""Sample views of the recipient's pages: one parcel in each state, a friend's page, the list, the number."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from parcelwall.notices.texts import languages
from parcelwall.rules.layout import Layout, plain_layout
from parcelwall.web import cabinet, views
from parcelwall.web.render import Words

NOW = datetime(2026, 11, 22, 15, 42, 10, tzinfo=UTC)
DEADLINE = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
LAYOUT: Layout = plain_layout("SSSSSSMMSSSL SSSMMMMMSSSS MMSSSSSSLSSS SSMMMMMSSSSS")
TOKEN = "PW1:" + "0123456789ABCDEFGHJKMNPQRSTVWXYZ" * 4 + "7F329QPW7F329Q4711"
WAYS = (views.Way("email", "a...@example.org", "secret"), views.Way("sms", "...67", "secret"))
LOG = (views.DoorNews("put-in", NOW - timedelta(hours=30)), views.DoorNews("opened", NOW - timedelta(seconds=42)),
       views.DoorNews("shut", NOW - timedelta(seconds=20)))  # fmt: skip
Change = Callable[..., views.RecipientView]
change: Change = msgspec.structs.replace


def door(words: Words, number: int = 19, state: str = "shut") -> views.OwnDoor:
    shown = cabinet.draw(LAYOUT, words, lit=number, open=state in ("open", "still-open"))
    said = cabinet.place_sentence(LAYOUT, number, words)
    return views.OwnDoor(number, said, shown, within_reach=True, state=state)  # type: ignore[arg-type]


def recipient(words: Words, place: views.Place, steps: tuple[views.Step, ...]) -> dict[str, msgspec.Struct]:
    ready = views.RecipientView(
        "ready", "Ready at Kluuvi, door 19", "", "PW-7F3-29Q", "/p/secret",
        "/p/secret/events", place, door(words), ("4719", "0622"), TOKEN, DEADLINE, 41 * 3600, 72 * 3600,
        extension=views.Extension(DEADLINE + timedelta(days=1)), can_report=True, can_open=True, can_share=True,
        selector="7329", log=LOG[:1], as_of=NOW,
    )  # fmt: skip
    bare = views.RecipientView(
        "coming", "Coming to Kluuvi", "About Monday 23 November. You get the code then.", "PW-7F3-29Q", "/p/secret",
        "/p/secret/events", place, steps=steps, as_of=NOW,
    )  # fmt: skip
    other = views.Other("0198", DEADLINE, "https://parcels.example/f/3f9aXyEruk6yGiFm9eGznJz8")
    return {
        "me-coming": bare,
        "me-send": change(bare, heading="Send it from Kluuvi", code=("5821", "0734"), steps=(),
                          line="Hold its label in front of the reader, or type this code. By Tue 10:30."),
        "me-sent": change(bare, stage="ready", heading="We have it at Kluuvi", can_report=True, steps=(), log=LOG[:1],
                          line="A courier takes it along. Nothing to do.", door=door(words), receipt="S-0012-4711",
                          received_at=NOW - timedelta(hours=30)),
        "me-coming-moved": change(bare, moved_from="Simonkatu", kept=True),
        "me-ready": ready,
        "me-ready-kept": change(ready, notice="Yours until Wed 10:30.", alone=True, kept=True,
                                collect_by=DEADLINE + timedelta(days=1), left_s=65 * 3600, total_s=96 * 3600),
        "me-ready-friend": change(ready, others=(other,)),
        "me-open": change(ready, door=door(words, state="open"), can_open=False),
        "me-still-open": change(ready, door=door(words, state="still-open"), can_open=False),
        "me-late": change(ready, stage="late", heading="It is late, but it is still there",
                          line="Collect it soon.", total_s=0, extension=None),
        "me-stuck": change(ready, heading="Door 19 does not open", case="C-2041",
                           line="You hear from us by 20:42.", paused=True, total_s=0, collect_by=None),
        "me-held": change(ready, stage="held", heading="It is held back for now",
                          line="Ask the company that sent it.", code=(), qr="", can_open=False, can_share=False,
                          total_s=0, collect_by=None, extension=None),
        "me-collected": change(bare, stage="collected", heading="Collected", line="Sunday 22 November, 17:42.",
                               steps=(), can_report=True, log=LOG),
        "me-gone": change(bare, stage="gone", heading="It has gone back", line="Tuesday 24 November, to the sender.",
                          steps=(), station=None),
        "me-diverted": change(bare, stage="diverted", heading="Coming another way", steps=(), station=None,
                              line="It could not go into a station. Post North brings it to your door."),
        "me-lost": change(bare, stage="lost", heading="It is lost", steps=(), station=None,
                          line="We are sorry. Ask Post North what happens now."),
        "me-cancelled": change(bare, stage="cancelled", heading="Cancelled", line="Ask the sender.", steps=(),
                               station=None),
        **in_person(ready, bare), **lists(), **friend(words, place),
    }  # fmt: skip


def in_person(ready: views.RecipientView, bare: views.RecipientView) -> dict[str, msgspec.Struct]:
    held = change(ready, stage="held", code=(), qr="", selector="", can_open=False, can_share=False)

    def at(step: str, **more: object) -> views.Verify:
        return views.Verify(step, **more)  # type: ignore[arg-type]

    return {
        "me-person-contact": change(held, verify=at("contact", ways=WAYS)),
        "me-person-no-contact": change(held, verify=at("contact")),
        "me-person-passkey": change(held, verify=at("passkey")),
        "me-person-show": change(held, verify=at("show"), kept=True),
        "me-person-qr": change(held, verify=at("show", until=NOW + timedelta(minutes=5)), qr=TOKEN, kept=True),
        "me-person-elsewhere": change(held, verify=at("elsewhere")),
        "me-person-coming": change(bare, verify=at("show"), kept=True),
    }


def friend(words: Words, place: views.Place) -> dict[str, msgspec.Struct]:
    return {"friend": views.FriendView("Kluuvi", TOKEN, DEADLINE, "329Q", place, door(words), "/f/x/events", NOW)}


def lists() -> dict[str, msgspec.Struct]:
    row = views.MyParcel
    known = tuple(views.Choice(code, name, code == "de") for code, name in languages().items())
    full = views.MeView(
        True, waiting=(row("/p/a", "ready", "Ready at Kluuvi, door 19", "Yours until Tue 10:30.", "329Q"),
                       row("/p/b", "late", "It is late, but it is still there", "It goes back soon.", "1187"),
                       row("/p/c", "ready", "Ready at Rautatieasema, door 104", "Yours until Wed.", "0042", True),
                       row("/p/g", "held", "It is held back for now", "Ask the company that sent it.", "2217")),
        coming=(row("/p/d", "coming", "Coming to Kluuvi", "About Monday 23 November.", "5512"),),
        past=(row("/p/e", "collected", "Collected", "Sat, 21 Nov", "7731"),
              row("/p/f", "gone", "Gone back", "Fri, 20 Nov, to the sender.", "9020")),
        ways=WAYS, may_make=True, languages=known, events="/me/events", as_of=NOW, quiet_from=22, quiet_until=7,
        told_by=(views.Choice("email", "email", True), views.Choice("sms", "sms", False)),
    )  # fmt: skip
    keys = (views.MyPasskey("abc", NOW - timedelta(days=40), NOW - timedelta(hours=3)), views.MyPasskey("def", NOW))
    return {
        "my-list": full,
        "my-list-empty": views.MeView(True, may_make=True, languages=known, events="/me/events", as_of=NOW),
        "my-list-passkeys": msgspec.structs.replace(full, passkeys=keys, may_make=False, ways=(), reach=True, past=(),
                                                    notice="Your passkey is made", coming=(), must_prove=True,
                                                    proofs=WAYS, quiet=True),
        "my-list-out": views.MeView(False, as_of=NOW),
        "my-list-out-elsewhere": views.MeView(False, passkeys_at="http://localhost:8600/me", as_of=NOW),
        "my-number": views.NumberView(),
        "my-number-wrong": views.NumberView("/p/secret", "That is not the number", True),
    }  # fmt: skip
