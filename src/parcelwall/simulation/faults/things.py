"""Parcels as they really are: where each lies, whatever the books say. People handle these, and the checks compare."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from parcelwall.rules.access import selector
from parcelwall.simulation.faults.chance import Luck
from parcelwall.simulation.faults.trace import short

Life = Literal["planned", "announced", "promised", "inside", "out", "home"]
SIDES = (((300, 200, 60), 900), ((360, 300, 150), 3_000), ((360, 350, 380), 9_000))  # of S, M, L; g


class Thing(msgspec.Struct, kw_only=True):
    """One parcel. `life` is what those who carry it believe; `station` is what the slip on it says."""

    reference: str
    station: str
    sides_mm: tuple[int, int, int]
    weight_g: int
    bring_at: datetime
    dwell_h: float
    id: UUID | None = None
    second_id: UUID | None = None  # the hub had lost it, and the carrier has announced it once more
    lost: int = 0  # times that the hub has forgotten it: what is asked then is asked with new keys
    life: Life = "planned"
    door: int | None = None  # behind which it really lies
    moved_to: str = ""  # where room was asked for since the slip was printed
    code: str = ""  # what its recipient was told
    code_of: tuple[UUID, int] | None = None  # the promise it is for, and which code of it
    qr: str = ""  # what their phone shows instead, if they like
    used: set[str] = set()  # codes that have opened its door
    muddled: bool = False  # people have done with it what no door can see
    taken_unseen: bool = False  # taken while the station's computer was down
    unclear: bool = False  # a visit to it was cut short, or its door failed: its code may be spent
    changed: bool = False  # the shop has asked to cancel, move or divert it
    written_off: bool = False  # somebody has asked for that; whether its station has heard, the station knows
    given_up: tuple[str, ...] = ()  # F39: in which states somebody gave it up, until the hub has answered
    tries: int = 0
    comes_at: datetime | None = None

    @property
    def name(self) -> str:
        return short(self.id)

    @property
    def selector(self) -> str:
        return selector(self.reference)


class Behind:
    """What lies behind the doors of one station."""

    def __init__(self) -> None:
        self._at: dict[int, list[Thing]] = {}
        self.muddled: set[int] = set()  # doors behind which something lies that no book can know of

    def at(self, door: int) -> list[Thing]:
        return self._at.get(door, [])

    def put(self, thing: Thing, door: int) -> None:
        self._at.setdefault(door, []).append(thing)
        thing.door = door

    def take(self, thing: Thing) -> None:
        if thing.door is not None and thing in self.at(thing.door):
            self._at[thing.door].remove(thing)
        thing.door = None

    def clear(self, door: int) -> list[Thing]:
        """Somebody with a key takes everything out."""
        found = self._at.pop(door, [])
        for thing in found:
            thing.door = None
        self.muddled.discard(door)
        return found

    def everything(self) -> list[Thing]:
        return [thing for things in self._at.values() for thing in things]


def made(reference: str, station: str, bring_at: datetime, dwell_h: float, luck: Luck) -> Thing:
    """A parcel of one of the usual sizes."""
    place = 0 if luck.happens(0.45) else 1 if luck.happens(0.7) else 2
    sides, weight_g = SIDES[place]
    return Thing(
        reference=reference, station=station, sides_mm=sides, weight_g=weight_g, bring_at=bring_at, dwell_h=dwell_h
    )  # fmt: skip
