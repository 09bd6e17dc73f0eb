"""What this simulation itself has done to one station that may be felt later. Nothing else excuses what goes wrong."""

from datetime import datetime, timedelta

SEEN_WITHIN_S = 20.0  # boards are asked in turn and disks are slow, until what was done to a door is seen and written
GONE_OPEN, GONE_SHUT = "gone, door open", "gone, door shut"  # F22: and nothing was put in or taken


class Harm:
    """`doors`: what was done to a door and lasts until somebody mends it. `visit`: what lasts as long as the visit at
    the screen. `flips`: doors whose visit saw flipped bits, until one clean look."""

    def __init__(self) -> None:
        self.doors: dict[int, set[str]] = {}
        self.visit: set[str] = set()
        self.flips: set[int] = set()
        self.ever: set[int] = set()  # doors at which anything was done that a case may tell of
        self._unread_until: dict[int, datetime] = {}
        self.anywhere = False  # bits have flipped or boards talked at once: any door may have seemed open

    def lasts(self, door: int, how: str) -> None:
        """`how`: jammed, weak, bounces or stuck."""
        self.doors.setdefault(door, set()).add(how)
        self.ever.add(door)

    def mended(self, door: int, at: datetime) -> None:
        if self.doors.pop(door, None):
            self._unread_until[door] = at + timedelta(seconds=SEEN_WITHIN_S)

    def may_be_unread(self, door: int, at: datetime) -> bool:
        """Whether its contact is ill, or was a moment ago."""
        seen_by = self._unread_until.get(door)
        return bool(self.doors.get(door)) or (seen_by is not None and at < seen_by)

    def is_stuck(self, door: int) -> bool:
        """Whether its contact reads the same for ever."""
        return "stuck" in self.doors.get(door, ())

    @property
    def stuck(self) -> set[int]:
        return {door for door in self.doors if self.is_stuck(door)}

    def looked_clean(self) -> None:
        """The boards were asked, and no bit flips any more."""
        self.flips.clear()

    def clear(self) -> None:
        self.doors.clear()
        self.visit.clear()
        self.flips.clear()
