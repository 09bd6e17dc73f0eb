"""What of a file in VRPLIB format PyVRP would pass over without a word, or tell in words of its own inside."""

from collections.abc import Sequence

from parcelwall.errors import Trouble

EACH_POINT = ("NODE_COORD_SECTION", "DEMAND_SECTION", "TIME_WINDOW_SECTION", "SERVICE_TIME_SECTION")
MOST = 1e12  # a number beyond is none: distances are counted in whole numbers
Sections = dict[str, list[list[str]]]  # words of each line, by section


def refuse_odd(text: str, name: str) -> None:
    """Raises Trouble for numbers that are none, points that are more or fewer than announced, no depot, and more to
    carry to one point than a vehicle holds."""
    head, sections = _parts(text, name)
    points = head.get("DIMENSION", "")
    if not points.isdecimal():
        raise Trouble(f"{name} is no problem in VRPLIB format: it needs a line such as `DIMENSION : 101`")
    for section in EACH_POINT:
        count = len(sections.get(section, ()))
        if section in sections and count != int(points):
            raise Trouble(f"{name} announces {points} points, and its {section} has {count}")
    if not any(word.isdecimal() for words in sections.get("DEPOT_SECTION", ()) for word in words):
        raise Trouble(f"{name} names no depot: it needs a DEPOT_SECTION with the number of a point, and -1 below it")
    if demands := sections.get("DEMAND_SECTION"):
        _refuse_heavy(demands, head.get("CAPACITY", ""), name)


def _parts(text: str, name: str) -> tuple[dict[str, str], Sections]:
    head, sections, here = dict[str, str](), Sections(), list[list[str]]()
    for place, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if words and words[0] == "EOF":
            break
        if words and words[0].rstrip(":").endswith("_SECTION"):
            here = sections.setdefault(words[0].rstrip(":"), [])
        elif words and not sections:
            key, _, value = line.partition(":")
            head[key.strip()] = value.strip()
        elif words:
            _refuse_endless(words, f"{name}, line {place}")
            here.append(words)
    return head, sections


def _refuse_endless(words: Sequence[str], where: str) -> None:
    for word in words:
        number = _number(word)
        if number is not None and not abs(number) <= MOST:
            raise Trouble(f"{where} holds a number that is none, or beyond {MOST:.0e}: {word[:40]}")


def _refuse_heavy(demands: Sequence[Sequence[str]], capacity: str, name: str) -> None:
    holds = _number(capacity)
    if holds is None or not 0 < holds <= MOST:
        raise Trouble(f"{name} has demands: it needs a line such as `CAPACITY : 100`, above 0")
    heaviest = max((_number(words[1]) or 0.0 for words in demands if len(words) > 1), default=0.0)
    if heaviest > holds:
        raise Trouble(f"{name} wants {heaviest:g} brought to one point, and its vehicles hold {holds:g}")


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
