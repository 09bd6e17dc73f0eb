"""Chance for planning: always from a seed that is told, so that every plan and every table can be made again."""

import numpy as np

Dice = np.random.Generator


def dice(seed: int) -> Dice:
    """numpy's default generator from this seed."""
    return np.random.default_rng(seed)
