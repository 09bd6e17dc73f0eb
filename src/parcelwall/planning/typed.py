"""What somebody typed as an option of `parcelwall plan`, read."""

from collections.abc import Sequence

from parcelwall.errors import Trouble


def worth(given: Sequence[str]) -> dict[str, float]:
    """What services are worth. Raises Trouble for what is no name and number above zero."""
    found = {}
    for text in given:
        name, _, number = text.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            found[name] = -1.0
        if not name or not 0 < found[name] < 1e6:
            raise Trouble(f"{text!r} is no service and what it is worth, such as express=2")
    return found


def column(text: str) -> dict[str, int]:
    """Compartments by size. Raises Trouble for what is no size and number from one on, each size once."""
    pairs = [each.strip().partition("=") for each in text.split(",")]
    if not all(size and count.isdecimal() and 0 < int(count) < 1_000 for size, _, count in pairs):
        raise Trouble(f"{text!r} is no column, such as S=6,M=3")
    if len({size for size, _, _ in pairs}) < len(pairs):
        raise Trouble(f"{text!r} names a size twice")
    return {size: int(count) for size, _, count in pairs}


def numbers(text: str) -> tuple[float, ...]:
    """Numbers from zero on between slashes. Raises Trouble for anything else."""
    try:
        found = tuple(float(word) for word in text.split("/"))
    except ValueError:
        found = ()
    if not found or not all(0 <= each < 1e6 for each in found):
        raise Trouble(f"{text!r} is not numbers between slashes, such as 24/20/8")
    return found
