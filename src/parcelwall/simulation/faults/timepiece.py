"""A station's own clock. The wall clock may be wrong, by a jump or a drift; durations are right."""

from datetime import UTC, datetime, timedelta

RIGHT = timedelta(0)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TrueTime:
    """The same moment as the hub sees it: whoever is served while the town stands still takes some time."""

    def __init__(self, timepiece: "Timepiece") -> None:
        self._timepiece = timepiece

    def now(self) -> datetime:
        return self._timepiece.true

    def mono(self) -> float:
        return self._timepiece.mono()

    async def sleep(self, seconds: float) -> None:
        await self._timepiece.sleep(seconds)


class Timepiece:
    """`true` is the time in the pretend town; it moves when the station waits, and never back."""

    def __init__(self, start: datetime) -> None:
        self.true = start
        self.wrong_by = RIGHT
        self.was_wrong = False
        self._drift = 0.0  # seconds gained per second
        self._mono_s = 0.0

    def now(self) -> datetime:
        return self.true + self.wrong_by

    def mono(self) -> float:
        return self._mono_s

    def advance(self, seconds: float) -> None:
        self.true += timedelta(seconds=seconds)
        self._mono_s += seconds
        if self._drift:
            self.wrong_by += timedelta(seconds=seconds * self._drift)

    def move_to(self, when: datetime) -> None:
        self.advance(max(0.0, (when - self.true).total_seconds()))

    async def sleep(self, seconds: float) -> None:
        """Lets nobody else run: who waits for this station waits for what it does, not for the time it takes."""
        self.advance(seconds)

    def jump(self, by: timedelta) -> None:
        self.wrong_by += by
        self.was_wrong = True

    def back_to_1970(self) -> None:
        self.jump(EPOCH - self.true - self.wrong_by)

    def drifts(self, by: float) -> None:
        """Gains so many seconds each second."""
        self._drift, self.was_wrong = by, True

    def set_right(self) -> None:
        self.wrong_by, self._drift = RIGHT, 0.0

    @property
    def is_right(self) -> bool:
        return self.wrong_by == RIGHT
