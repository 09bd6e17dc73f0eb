"""The moment at which a station's computer stops: counted in steps, so that every moment can be had."""


class PowerCut(BaseException):
    """The computer stops here. No `except Exception` of the station's own code may catch it."""


class Fuse:
    """Every write, every sync and every word with the boards is a step; at the chosen one the power goes."""

    def __init__(self) -> None:
        self.steps = 0
        self._blows_at: int | None = None
        self.blown = False

    def blow_in(self, steps: int) -> None:
        """The power goes at the n-th step from now, the first of which is 1."""
        self._blows_at = self.steps + steps

    @property
    def armed(self) -> bool:
        return self._blows_at is not None

    def mend(self) -> None:
        """Power again; nothing is to come."""
        self.blown, self._blows_at = False, None

    def step(self) -> None:
        """One more step; without power there is none."""
        self.steps += 1
        if self.blown or (self._blows_at is not None and self.steps >= self._blows_at):
            self.blown = True
            raise PowerCut
