"""F12: a disk says that it has synced, has not, and then the power goes. Nothing can save what is lost; that it is lost
must be found out before the station ships another entry: by the station as it opens its book, or by the heads that both
sides tell each other."""

from collections import Counter
from pathlib import Path

import apsw

from link.books import HUB, HUB_KEY, HubShelf
from parcelwall.clock import VirtualClock
from parcelwall.errors import Trouble
from parcelwall.link.hub_end import HubEnd
from parcelwall.link.identity import Signer
from parcelwall.link.station_end import StationEnd
from parcelwall.rules import facts
from parcelwall.simulation.faults.disk import Shelf, a_shelf
from parcelwall.station.house import key_of
from simulation.test_every_cut import WRITER, Bench
from station.towns import NOW

NAME = "S-0001"


async def worked(folder: Path, shelf: Shelf, seed: int) -> tuple[Bench, HubShelf]:
    """A station that has shipped all it wrote, the later part of which its disk has only said to have."""
    bench = await Bench(folder, shelf, f"lies {seed}").start()
    first, second = bench.promised(1), bench.promised(2)
    await bench.act("deposit", first)
    bench.post.disk.lies = True
    await bench.act("deposit", second)
    await bench.act("collect", first)
    memory = bench.post.up.memory
    hub = HubShelf(VirtualClock(NOW), {NAME: key_of(memory, bench.post.ids).public})
    for writer in (WRITER, NAME):
        hub.journal.receive(writer, memory.since(writer, 0, 999), "")
    return bench, hub


async def came_back(bench: Bench, hub: HubShelf, wrote_since: int) -> str:
    """How the power cut ends: what the station and the hub say of it, after so many entries more without a line."""
    post = bench.post
    post.kind_of_stop = "F08"
    await post.stop()
    post.clock.advance(3600.0)
    try:
        await post.start()
        for _ in range(wrote_since):
            post.up.memory.tell(facts.Power(status="mains"))
        station, end = ends(bench, hub)
    except (Trouble, apsw.Error):
        return "does not open"
    answers = await end.hear(station.hear(end.challenge())[0])
    try:
        station.hear(answers[0])
    except Trouble:
        return "found out by both" if hub.differing == [NAME] else "found out by the station"
    whole = post.up.memory.since(NAME, 0, 999)[: (await hub.head(NAME)).number] == await hub.since(NAME, 0, 999)
    return "nothing was lost" if whole else "NOT FOUND OUT"


def ends(bench: Bench, hub: HubShelf) -> tuple[StationEnd, HubEnd]:
    memory, clock = bench.post.up.memory, bench.post.clock
    station = StationEnd(memory, key_of(memory, bench.post.ids), HUB, Signer(HUB_KEY).public, b"s" * 32, "b", clock)
    return station, HubEnd(hub, Signer(HUB_KEY), HUB, b"h" * 32, hub.now)


async def test_what_a_lying_disk_lost_is_found_out(tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    for seed in range(12):
        (folder := tmp_path / str(seed)).mkdir()
        with a_shelf() as shelf:
            bench, hub = await worked(folder, shelf, seed)
            seen[await came_back(bench, hub, wrote_since=30 * (seed % 2))] += 1
            await bench.post.stop()
    assert not seen["NOT FOUND OUT"], seen
    assert min(seen["found out by both"], seen["found out by the station"]) > 0, seen
