"""Which fault struck in which state: a fault is tested only where it struck."""

from collections import Counter
from collections.abc import Iterable

from parcelwall.rules.life import Stage

VISIT = ("idle", "identified", "written", "pulsed", "open", "shut", "recorded")
INSIDE_A_VISIT = ("written", "pulsed", "open", "shut")
LINK = ("down", "hello", "behind", "live")
DESK = ("before", "inside", "unknown", "committed")
STAGES = tuple(stage.value for stage in Stage)
PURPOSES = ("deposit", "collect", "take_back")


class Ledger:
    """Counts faults, and faults by state."""

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()
        self.covered: Counter[str] = Counter()

    def struck(self, fault: str, states: Iterable[str] = ()) -> None:
        self.faults[fault] += 1
        for state in states:
            self.covered[f"{fault} x {state}"] += 1

    def also(self, fault: str, state: str) -> None:
        """One more state in which a fault that is counted already struck."""
        self.covered[f"{fault} x {state}"] += 1

    def missing(self) -> list[str]:
        return [wanted for wanted in required() if not self.covered[wanted]]


def required() -> list[str]:
    """Every pair of fault and state that a run must hit to be evidence; docs/simulate.md says what they mean."""
    stops = [f"{fault} x {visit}, {link}" for fault in ("F07", "F08") for visit in VISIT for link in ("down", "live")]
    links = [f"{fault} x {link}" for fault, some in LINKS_OF.items() for link in some]
    staged = [f"{fault} x {stage}" for fault in ("F01", "F02", "F06", "F21", "F28", "F31") for stage in STAGES]
    boards = [f"{fault} x {purpose}" for fault in BOARDS for purpose in PURPOSES]
    people = [f"F24 x {stage}" for stage in ("READY", "OVERDUE", "COLLECTED", "TAKEN_BACK")]
    people += [f"{fault} x {state}" for fault, some in PEOPLE.items() for state in some]
    people += [f"F22 x {state}, {way}" for state in MET for way in WAYS]
    people += [f"F22 x gone, door {how}, {purpose}" for how in ("open", "shut") for purpose in PURPOSES]
    hubs = [f"F25 x {state}" for state in DESK] + [f"F25 x {verb}" for verb in VERBS]
    hubs += [f"F25 x {state}, {verb}" for state in ("before", "inside", "unknown") for verb in VERBS]
    hubs += [f"{fault} x {state}" for fault, some in HUBS.items() for state in some]
    disks = [f"F09 x {visit}" for visit in ("identified", "open")]
    disks += [f"F09 x full when {visit}, {link}" for visit in ("idle", *INSIDE_A_VISIT) for link in ("down", "live")]
    disks += [f"F10 x {state}" for state in ("idle", "identified", *INSIDE_A_VISIT, "down", "live")]
    slow = ("idle", "identified", "pulsed", "shut")
    disks += [f"F11 x {visit}, {link}" for visit in slow for link in ("down", "live")]
    starts = [f"F13 x {how}, down" for how in ("opening the book", "looking at the doors")]
    clocks = [f"F21 x {visit}" for visit in VISIT]
    guesses = [f"F37 x {state}" for state in ("down", "live", "clock right", "clock wrong", "after a stop")]
    return stops + links + staged + boards + people + hubs + disks + starts + clocks + guesses


LINKS_OF = {"F01": ("hello", "behind", "live"), "F02": ("behind", "live"), "F03": ("live",),
            "F04": ("behind", "old connection"), "F05": ("live",), "F06": ("live",),
            "F28": ("down", "behind", "live"), "F39": ("down", "live")}  # fmt: skip
BOARDS = ("F14", "F15", "F16", "F17", "F18", "F19", "F38")
MET = ("written", "pulsed", "open", "left open")  # what the visit is in which somebody else comes
WAYS = ("code", "QR", "phone", "courier")  # by which they want another door
PEOPLE = {
    "F20": (*PURPOSES, "opened by hand", "RESERVED", "READY", "OVERDUE"),
    "F22": ("half a code", "first digits", "forgot something"), "F23": ("wrong door", "double scan"),
    "F40": ("right away", "too late", "somebody else", "a sender", "down", "live", "looks", "exchanges", "takes out",
            "leaves it in after all", "says nothing", "did not open", "goes dark", "goes away", "another comes"),
    "F39": ("READY", "OVERDUE", "one parcel", "all that lies there", "refused", "out before it was heard"),
}  # fmt: skip
HUBS = {
    "F25": ("committed, ingest", "committed, sweep"), "F27": ("ask", "ingest", "sweep"), "F29": ("sweep", "follow"),
    "F30": ("inside", "unknown"), "F32": ("taken", "not taken", "refused for days", "no such address"),
}  # fmt: skip
VERBS = ("ask", "ingest", "sweep", "follow")
