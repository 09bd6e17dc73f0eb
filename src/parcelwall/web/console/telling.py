"""What a fact tells besides its kind, in the reader's language: by whom, why, what came of it.

Facts hold words of ours as keys, by kind and field, and what people wrote as it is. A key that has no words here is
shown as it stands, so that nothing is lost; a test goes through the keys that the code writes.
"""

from collections.abc import Mapping
from typing import Any

from parcelwall.notices.language import N_, Words
from parcelwall.notices.texts import REFUSALS, refusal_text
from parcelwall.web.console import said

FIELDS = ("mark", "about", "reason", "why", "outcome", "note", "status", "size", "by")  # in the order they are told
MARK = {
    "data_received": N_("its data came"), "handed_in": N_("handed in"), "accepted": N_("accepted"),
    "departed": N_("left a depot"), "arrived": N_("reached a depot"), "in_transit": N_("on the way"),
    "held": N_("held on the way"), "redirected": N_("sent to another place"), "delayed": N_("it will be late"),
    "attempt_failed": N_("nobody was met"), "out_for_delivery": N_("on the courier's round"),
    "ready_elsewhere": N_("ready at another place"), "delivered_elsewhere": N_("handed over at another place"),
    "returning": N_("on its way back"), "returned": N_("back with its sender"), "refused": N_("not accepted"),
    "undeliverable": N_("it cannot be delivered"), "uncollected": N_("nobody collected it"), "lost": N_("lost"),
    "damaged": N_("damaged"), "disputed": N_("disputed"), "cancelled": N_("cancelled"),
    "other": N_("something else"),
}  # fmt: skip
"""`rules.sentence.MARKS`: what a carrier scanned."""
BY = {
    "recipient": N_("by the recipient"), "delegate": N_("by somebody for the recipient"), "sender": N_("by the sender"),
    "courier": N_("by the courier"), "carrier": N_("by the carrier"), "operator": N_("by the operator"),
    "hub": N_("by itself"), "unknown": "",
}  # fmt: skip
DOOR_FAILED = {
    "stuck": N_("did not open"), "unclear": N_("nobody can say"), "late": N_("nothing was sent in time"),
    "dead": N_("the lock board was silent"),
}  # fmt: skip
OPENED_FOR = {
    "repair": N_("for a repair"), "test": N_("for a test"), "cleaning": N_("for cleaning"),
    "inspection": N_("to look inside"), "put_right": N_("to put right what was just put in"),
}  # fmt: skip
HEALTH = {
    "not_wired": N_("no lock is wired to it"), "doors_changed": N_("its doors were changed"),
    "doors_not_walked": N_("nobody has walked along its doors"),
}  # fmt: skip
OUTCOME = {
    "opened": N_("opened"), "failed": N_("did not open"), "refused": N_("not opened"), "drawn": N_("a code was drawn"),
    "unanswered": N_("no answer; nothing will open any more"), "station_offline": N_("the station has no line"),
    "door_failed": N_("the door did not open"), "door_busy": N_("another door is still open"),
    "order_late": N_("it came too late"), "door_rests": N_("its lock rests for a moment"),
    "no_right": N_("who asked has no right to it any more"),
}  # fmt: skip
"""What became of an order from afar."""
CLOSED = {"cancelled": N_("it was cancelled"), "written_off": N_("it was written off")}
POWER = {"mains": N_("mains"), "battery": N_("on its battery"), "low": N_("battery is low"), "unknown": N_("unknown")}
GRANTED = {
    "compartment": N_("A door was opened from afar"), "courier": N_("A courier was admitted"),
    "tag": N_("One more code was drawn"), "parcel": N_("Somebody else may collect it"),
}  # fmt: skip
"""What a grant is, by the first of these fields that it has."""
LOOKED = {
    "person": said.KIND["Looked"], "search": N_("Somebody searched for a parcel"),
    "export": N_("Somebody fetched figures as a file"),
}  # fmt: skip
TAKEN_OUT = N_("Taken out from afar, late as it was")
NOTED = {"sent": N_("Somebody was sent there"), "told": N_("The recipient was told that it is seen to")}
BY_FIELD = {"Looked": ("at", LOOKED), "CaseNoted": ("what", NOTED)}
TABLES: dict[tuple[str, str], Mapping[str, str]] = {
    ("CarrierReported", "mark"): MARK, ("CaseOpened", "about"): said.ABOUT,
    ("DoorFailed", "why"): DOOR_FAILED, ("DoorOpened", "why"): OPENED_FOR, ("CompartmentHealth", "why"): HEALTH,
    ("OrderAnswered", "outcome"): OUTCOME, ("CaseClosed", "outcome"): CLOSED, ("Power", "status"): POWER,
    ("Cancelled", "why"): said.CALLED_OFF, ("WrittenOff", "why"): said.WRITTEN_OFF,

    ("Granted", "reason"): {**said.TAKEN_OUT, **said.REASONS},
    ("Looked", "reason"): {**said.REASONS, "phone": N_("by a telephone number")},
}  # fmt: skip
REFUSED = {("Diverted", "reason"), ("OrderAnswered", "why")}  # these are names of refusals


def kind(of: str, body: Mapping[str, Any], known: Words) -> str:
    """What happened, in one sentence."""
    if of == "Granted":
        what = next((name for name in GRANTED if body.get(name)), "courier")
        return known.gettext(GRANTED[what])
    text = said.KIND.get(of, of)
    if of in BY_FIELD:
        field, table = BY_FIELD[of]
        text = table.get(body.get(field, ""), text)
    if of == "TakenBack" and body.get("by") == "operator":
        text = TAKEN_OUT
    return known.gettext(text)


def detail(of: str, body: Mapping[str, Any], known: Words) -> str:
    """All that a fact tells besides, with commas between; what stands in a column of its own is not among it."""
    texts = (word(of, name, body[name], known) for name in FIELDS if isinstance(body.get(name), str))
    return (known.gettext(",") + " ").join(text for text in texts if text)


def word(of: str, field: str, text: str, known: Words) -> str:
    """One field: a key of ours in words, and what was written beside it after a colon; anything else as it stands."""
    if (of, field) in REFUSED:
        return refused(text, known)
    key, sign, more = text.partition(":")
    table = BY if field == "by" else TABLES.get((of, field), {})
    if key not in table:
        return text
    return f"{known.gettext(table[key]) if table[key] else ''}{sign}{more}"


def outcome(text: str, known: Words) -> str:
    """What became of an act: a word of the station's, or the reason of a refusal."""
    return known.gettext(OUTCOME[text]) if text in OUTCOME else refused(text, known)


def refused(reason: str, known: Words) -> str:
    """The first sentence of what people are told; of a refusal that has none, and of what is none, its name."""
    heading = refusal_text(reason, known, "phone").heading if reason in REFUSALS else ""
    return str(heading) or reason
