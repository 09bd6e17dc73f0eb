"""Plain physics of one door: coil, latch, spring, leaf, contact. Times are monotonic seconds, passed in.

The latch is free 30 ms after the pulse starts, the leaf has moved 120 ms (plus or minus 40) later, the contact
follows the leaf or the hook. Source: hardware.md 2.13.
"""

from typing import Literal

LATCH_FREE_S = 0.030
LEAF_MOVES_S, LEAF_SPREAD_S = 0.120, 0.040
SOFT_PUSH_CATCHES = 0.9
NEVER = float("inf")


class Leaf:
    """One door, shut and latched at first. The flags are its faults; set them at will."""

    def __init__(self, contact: Literal["door", "hook", "both"] = "door") -> None:
        self.is_open = False
        self.latched = True
        self.jammed = False  # the latch does not let go
        self.spring_is_weak = False  # the latch lets go, the leaf waits to be pulled
        self.lies = False  # the board acks, the coil is not driven
        self.blocked = False  # a parcel sticks out: it cannot be shut
        self.held_open = False  # somebody holds it
        self.welded = False  # the relay sticks: the coil stays driven
        self.hook_falls = False  # the hook catches though the leaf is open
        self.stuck_at: int | None = None  # the raw value a broken sensor reads
        self.bounce_s, self.bounce_flips = 0.0, 0
        self._contact = contact
        self._free_at = self._spring_at = self._coil_ends_at = NEVER
        self._changed_at = -NEVER

    def pulse(self, now: float, pulse_s: float, luck: float = 0.5) -> float:
        """Drives the coil; returns when it is let go, in seconds. `luck` of 0 to 1 spreads the spring's time."""
        self.settle(now)
        self._coil_ends_at = NEVER if self.welded else now + pulse_s
        if not self.jammed:
            self._free_at = now + LATCH_FREE_S
            if not self.spring_is_weak:
                self._spring_at = self._free_at + LEAF_MOVES_S + (2 * luck - 1) * LEAF_SPREAD_S
        return self._coil_ends_at

    def settle(self, now: float) -> None:
        """Lets happen what was due."""
        if now >= self._free_at:
            self.latched, self._free_at = False, NEVER
        if now >= self._spring_at:
            self._move(True, self._spring_at)
            self._spring_at = NEVER
        if now >= self._coil_ends_at:
            self._coil_ends_at = NEVER
            self.latched = self.latched or not (self.is_open or self._spring_at < NEVER)

    def _move(self, is_open: bool, at: float) -> None:
        if is_open != self.is_open:
            self.is_open, self._changed_at = is_open, at

    def pull(self, now: float) -> bool:
        """A hand pulls. Whether the door is open after it."""
        self.settle(now)
        if not self.latched:
            self._move(True, now)
        return self.is_open

    def push_open(self, now: float) -> None:
        """Opened by force, without a pulse."""
        self.settle(now)
        self.latched = False
        self._move(True, now)

    def push_closed(self, now: float, catches: bool = True) -> bool:
        """A hand pushes. Whether the door is shut and latched after it."""
        self.settle(now)
        driven = self._coil_ends_at < NEVER or self.welded
        if self.blocked or self.held_open or not catches or (driven and self.is_open):
            return not self.is_open and self.latched
        self._spring_at = NEVER
        self._move(False, now)
        self.latched = True
        return True

    def contact_closed(self, now: float) -> bool:
        """What the contact says, with its bouncing."""
        if now >= self._free_at or now >= self._spring_at or now >= self._coil_ends_at:
            self.settle(now)
        hook = self.latched or self.hook_falls
        closed = hook if self._contact == "hook" else not self.is_open and (self._contact == "door" or hook)
        if not self.bounce_flips or (since_s := now - self._changed_at) >= self.bounce_s:
            return closed
        return closed ^ (int(since_s / self.bounce_s * self.bounce_flips) % 2 == 0)
