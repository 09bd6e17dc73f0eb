"""The opening procedure: the only place from which a door is ever pulsed, and it takes a visit that is on the disk.

An ack is about the coil; "open" is said only after the contact was seen open. A further pulse needs the door read
closed, 2 s since the last one, and there are at most 3; a door that is unknown gets no further pulse at all. A door
that reads open before we have done anything was not opened by us: its contact is broken, or somebody else was there.
A coil that has had its share of pulses rests first: nothing is asked of it then, and nothing is wrong with its door.
Where the contact measures the hook, one that let go and caught again is unclear: the leaf may have moved or not.
Where another door has opened instead, plugs are swapped: no further pulse, which would open that one once more.
"""

from collections.abc import Awaitable, Callable
from typing import Literal

from parcelwall.clock import Clock
from parcelwall.drivers import Doors, DoorState, Pulse, Seen, Why
from parcelwall.drivers.seen import NEVER_LOOKED
from parcelwall.errors import Trouble
from parcelwall.station.desk import StationDesk
from parcelwall.station.visit import Visit

DEADLINE_S = 5.0  # from intent to the last byte on the wire
WATCH_S = 1.5  # how long a door is given to move
LOOK_EVERY_S = 0.1
LEAST_LOOKS = 3  # before a door is unclear: on a line that loses answers one look may take all of WATCH_S
BETWEEN_PULSES_S = 2.0
MOST_PULSES = 3

Opening = Literal["opened", "stuck", "unclear", "late", "dead", "rests", "another"]


async def open_door(
    visit: Visit, doors: Doors, desk: StationDesk, clock: Clock, another_opened: Callable[[], Awaitable[bool]]
) -> tuple[Opening, Visit]:
    """Opens the visit's door. Answers what was seen, not what was acknowledged. `another_opened` looks whether a door
    that nobody has asked for has opened meanwhile."""
    if (await _look(doors, visit)).state == DoorState.OPEN:
        return "unclear", visit
    if doors.rests_s(visit.compartment) > 0:
        return "rests", visit
    verdict: Opening = "stuck"
    while visit.pulses < MOST_PULSES:
        visit = desk.pulsing(visit)
        pulsed_at = clock.mono()
        until = min(pulsed_at + DEADLINE_S, visit.until_mono_s or float("inf"))
        pulse = await doors.open(visit.compartment, not_after=until)
        if pulse in (Pulse.LATE, Pulse.DEAD):
            return ("late" if pulse == Pulse.LATE else "dead"), visit
        seen, let_go = await _watch(visit, doors, clock)
        if seen == DoorState.OPEN:
            return "opened", visit
        if await another_opened():
            return "another", visit
        if seen == DoorState.UNKNOWN:
            return "unclear", visit
        verdict = "unclear" if let_go else verdict
        await clock.sleep(max(0.0, pulsed_at + BETWEEN_PULSES_S - clock.mono()))
        if (await _look(doors, visit)).state != DoorState.CLOSED:
            continue_as = (await _look(doors, visit)).state
            return ("opened" if continue_as == DoorState.OPEN else "unclear"), visit
    return verdict, visit


async def _watch(visit: Visit, doors: Doors, clock: Clock) -> tuple[DoorState, bool]:
    """The door's state once it is open, or after WATCH_S; unknown only if it never gave a clear answer in as many looks
    as it takes. And whether its hook has let go, for which a coil that is driven for longer is waited for."""
    until = clock.mono() + WATCH_S
    looks, clear, held, let_go = 0, DoorState.UNKNOWN, False, False
    while clock.mono() < until or held or (clear == DoorState.UNKNOWN and looks < LEAST_LOOKS):
        await clock.sleep(LOOK_EVERY_S)
        seen, looks = await _look(doors, visit), looks + 1
        if seen.state == DoorState.OPEN:
            return seen.state, True
        clear = seen.state if seen.state != DoorState.UNKNOWN else clear
        held = seen.why == Why.HELD
        let_go = let_go or held
    return clear, let_go


async def _look(doors: Doors, visit: Visit) -> Seen:
    try:
        return await doors.state(visit.compartment)
    except Trouble:
        return NEVER_LOOKED
