"""How long to wait before dialling again: never give up, never all at once."""

LONGEST_S, FIRST_S = 300.0, 2.0
GOOD_AFTER_S = 60.0  # a connection that lived this long starts the count anew


def wait_s(tries: int, random01: float) -> float:
    """Seconds to wait after `tries` failures (from 0): between half and the whole of 2 s doubling to 5 min."""
    return min(LONGEST_S, FIRST_S * 2 ** min(tries, 16)) * (0.5 + random01 / 2)
