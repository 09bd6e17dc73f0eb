"""How long and how often to measure."""

import msgspec


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """`runs` pairs, each measured for `long_s` seconds after `warm_s` of warming up, on a network of this size."""

    runs: int = 5
    long_s: float = 8.0
    warm_s: float = 3.0
    stations: int = 2_000
    linked: int = 200
    parcels: int = 40_000  # promised before the run, to be deposited and collected


QUICK = Plan(runs=1, long_s=2.0, warm_s=1.0, stations=600, linked=60, parcels=6_000)
