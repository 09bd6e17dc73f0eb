"""How a bug is planted: a function that replaces another, by name, with the weather in which it can show."""

import os
import subprocess
import sys
from collections.abc import Callable

Plant = Callable[[], None]
PLANTS: dict[str, tuple[str, Plant]] = {"control": ("storm", lambda: None)}


def plant(faults: str) -> Callable[[Plant], Plant]:
    """`faults`: the weather in which it can show."""

    def remember(function: Plant) -> Plant:
        PLANTS[function.__name__] = (faults, function)
        return function

    return remember


def by_itself(module: str, *words: str) -> tuple[int, str]:
    """What a program that plants a bug answers and prints, in a process of its own: what is planted stays planted."""
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run([sys.executable, "-m", module, *words], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": paths})  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, done.stdout
