"""How a bug is planted: a function that replaces another, by name, with the weather in which it can show."""

from collections.abc import Callable

Plant = Callable[[], None]
PLANTS: dict[str, tuple[str, Plant]] = {"control": ("storm", lambda: None)}


def plant(faults: str) -> Callable[[Plant], Plant]:
    """`faults`: the weather in which it can show."""

    def remember(function: Plant) -> Plant:
        PLANTS[function.__name__] = (faults, function)
        return function

    return remember
