"""`plan room`: tables of all stations, with what is learnt of each kept in a file between its runs.

Learning takes seconds a station and is good for a week; a table takes hundredths of a second.
"""

import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from parcelwall.errors import Trouble
from parcelwall.planning import offers
from parcelwall.planning.history import History
from parcelwall.planning.room_mending import Mend
from parcelwall.planning.whole_file import write_whole
from parcelwall.rules.offers import RoomTable

WAYS = {"formula": "by the formula", "moved": "by the formula moved", "trees": "learnt", "share": "by the past share"}


def make(
    history: History, now: datetime, file: Path, again: bool, tick: Callable[[str], None],
    refused: Mapping[str, Sequence[datetime]] | None = None,
) -> tuple[list[RoomTable], str]:  # fmt: skip
    """Tables, and how many were told which way, in words. What is learnt anew (`again`: all) is written to `file`;
    `refused` is as `offers.tables` has it.

    Raises Trouble for a file that is there and not ours.
    """
    old = {} if again else read(file)
    every = offers.places(history)
    mends, fresh = dict[str, Mend](), 0
    for done, (name, place) in enumerate(sorted(every.items())):
        tick(f"Learning of {name}, {done + 1} of {len(every)} …")
        kept = old.get(name)
        if kept is None or not offers.still_good(kept, place, now):
            kept, fresh = offers.mend(name, place, now), fresh + 1
        mends[name] = kept
    if fresh or mends.keys() != old.keys():
        _write(file, mends)
    count = Counter(WAYS[each.way] for each in mends.values())
    made = offers.tables(every, now, mends, refused)
    ways = ", ".join(f"{number} {way}" for way, number in sorted(count.items()))
    whys = Counter(table.why for table in made if table.why)
    return made, ways + "".join(f"; {number} with {why}" for why, number in sorted(whys.items()))


def read(file: Path) -> dict[str, Mend]:
    """What was kept; nothing where there is no file yet. Raises Trouble for a file that is not ours."""
    if not file.exists():
        return {}
    try:
        lines = gzip.decompress(file.read_bytes()).splitlines()
        return {each.station: each for line in lines for each in [msgspec.json.decode(line, type=Mend)]}
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError, RecursionError) as no:
        raise Trouble(f"{file} is not what `plan room` learnt: remove it, or name another with --learnt.") from no


def _write(file: Path, mends: Mapping[str, Mend]) -> None:
    write_whole(file, gzip.compress(b"".join(msgspec.json.encode(each) + b"\n" for each in mends.values()), 6))
