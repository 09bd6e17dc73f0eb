"""Names of streams, and whose they are.

`hub:1/S-0012` is what the hub writes for a station, `hub:1/slot-2` what one of its processes writes for nobody else,
`S-0012` what a station writes. A hub that was restored begins a later epoch, `hub:1795707783/S-0012`; a computer that
takes a station over begins a later life, `S-0012:1795707783`. Both numbers are seconds since 1970, because whoever was
restored has forgotten how far it had counted: a clock has not (docs/decisions/0014).
"""

from datetime import datetime


def of_hub(epoch: int, station: str) -> str:
    return f"hub:{epoch}/{station}"


def of_life(station: str, life: int) -> str:
    return f"{station}:{life}"


def later(before: int, now: datetime) -> int:
    """The next epoch or life: seconds since 1970, and above the one before."""
    return max(before + 1, int(now.timestamp()))


def is_hubs(writer: str) -> bool:
    return writer.startswith("hub:")


def epoch_of(writer: str) -> int:
    """The epoch of a stream of the hub; 0 for any other, and for a name that holds none."""
    epoch = writer.removeprefix("hub:").partition("/")[0]
    return int(epoch) if is_hubs(writer) and epoch.isdecimal() else 0


def receipt(writer: str, number: int) -> str:
    """What whoever has put a parcel in is given: the entry of the station's journal that says so."""
    return f"{station_of(writer)}-{number}"


def place_of(writer: str, number: int) -> tuple[int, int]:
    """Where the hub wrote something, among all that it ever wrote for one station: the later place is the newer word,
    in whatever order, and by whatever clock, it is heard."""
    return epoch_of(writer), number


def life_of(writer: str) -> int:
    """Which life of its station wrote this; 1 for the first."""
    life = writer.partition(":")[2]
    return int(life) if life.isdecimal() and not is_hubs(writer) else 1


def station_of(writer: str) -> str | None:
    """Which station a stream is of: its own, or the hub's for it. None for the hub's slots."""
    if not is_hubs(writer):
        return writer.partition(":")[0]
    station = writer.partition("/")[2]
    return None if not station or station.startswith("slot-") else station
