"""The other road, at the hub: a bundle that a courier has carried is judged, stored and learnt as if it had come by the
line, and answered with a bundle for the way back.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import structlog

from parcelwall import clock
from parcelwall.errors import Refusal
from parcelwall.hub.house import Hub
from parcelwall.journal import streams
from parcelwall.journal.chain import Broken, Entry
from parcelwall.link import paper, road
from parcelwall.link.frames import BadFrame, Entries
from parcelwall.link.hub_end import MOST_STREAMS, Known
from parcelwall.link.shipping import Shipper, checked
from parcelwall.link.station_end import Heads

MOST_ENTRIES = 1_000  # read for one answer, which holds some hundreds of them

log = structlog.get_logger()

# The first of these streams of which more is there than here; not one that `given_back.differs` has marked, with a 0.
_LOST = """
SELECT name FROM unnest($1::text[], $2::bigint[]) AS there (name, number)
WHERE number > coalesce((SELECT writer.number FROM writer WHERE writer.name = there.name), 0)
  AND NOT EXISTS (SELECT FROM dead_letter WHERE dead_letter.writer = there.name AND dead_letter.number = 0)
ORDER BY name LIMIT 1"""
_HEARD = "UPDATE station_presence SET heard_until = greatest(heard_until, $2) WHERE station = $1"


class Carried(msgspec.Struct, frozen=True):
    """What became of a bundle: everything of this station through that number is stored here. `sheets` are the texts of
    the QR codes that its reader is shown."""

    station: str
    through: int
    sheets: list[str]


async def take(hub: Hub, data: bytes) -> Carried:
    """Stores what a station has written and a courier has carried. Twice is harmless.

    Refuses what no station of ours has signed, entries before which some are missing, and, at a hub that was restored,
    those of a station that holds what the hub has lost.
    """
    try:
        bundle = road.read(data)
        known = await _known(hub, bundle)
        await _refuse_what_line_must_heal(hub, bundle.header)
        through = await _store(hub, bundle, known)
    except (BadFrame, Broken, ValueError) as no:
        log.warning("bundle_refused", reason=str(no))
        raise Refusal("bundle_unknown") from no
    header = bundle.header
    if through >= header.wrote:
        await hub.pool.execute(_HEARD, header.from_, min(clock.parse(header.made), hub.clock.now()))
    answer = await _answer(hub, header, known.writer, through)
    return Carried(header.from_, through, paper.sheets(answer, paper.TO_READER_BYTES))


async def _known(hub: Hub, bundle: road.Bundle) -> Known:
    """The computer that has signed it. BadFrame for a stranger, and for one that is trusted no longer."""
    known = await hub.known(bundle.header.from_) if bundle.header.to == road.HUB else None
    if known is None or known.revoked or not bundle.is_by(known.key):
        raise BadFrame("this bundle is of no station of ours")
    return known


async def _refuse_what_line_must_heal(hub: Hub, header: road.Header) -> None:
    """What a hub that was restored has lost comes back by the line, before anything that follows from it: a deposit
    must not be learnt before the promise that it keeps. Past streams count: the line may have broken off before they
    were given back. So does another story under the present name: the hub was restored, wrote on, and was not told."""
    has = header.has
    if len(has) > MOST_STREAMS:
        raise BadFrame(f"a station has at most {MOST_STREAMS} streams")
    ours = {name: number for name, (number, _) in has.items() if streams.is_hubs(name)}
    if lost := await hub.pool.fetchval(_LOST, list(ours), list(ours.values())):
        raise BadFrame(f"of {lost} the station has more than the hub, which was restored: it needs the line")
    number, digest = has.get(own := hub.writer_for(header.from_), (0, ""))
    if number and [entry.hash.hex() for entry in await hub.since(own, number - 1, 1)] != [digest]:
        raise BadFrame(f"of {own} the station has another book: the hub was restored, run `parcelwall hub-restored`")


async def _store(hub: Hub, bundle: road.Bundle, known: Known) -> int:
    """The number through which all is here then."""
    station, have = bundle.header.from_, (await hub.head(known.writer)).number
    if not bundle.entries:
        return have
    entries = checked(bundle.entries, known.key, known.writer)
    if not _follow(bundle.entries) or bundle.entries[0].after > have:
        raise BadFrame("entries are missing before or between these")
    return await hub.receive(station, entries)


def _follow(run: Sequence[Entries]) -> bool:
    return all(before.through == after.after for before, after in pairwise(run))


async def _answer(hub: Hub, header: road.Header, writer: str, through: int) -> bytes:
    """How far the hub has the station's book, and what it has written for the station since."""
    station, own = header.from_, hub.writer_for(header.from_)
    ours = await hub.head(own)
    shipper = Shipper(own, hub.signer)
    shipper.begin(header.has.get(own, (0, ""))[0])
    told = shipper.ship(await _news(hub, own, header.has))
    has: Heads = {writer: (through, (await hub.since(writer, through - 1, 1))[0].hash.hex())} if through else {}
    back = road.Header(from_=road.HUB, to=station, made=clock.text(hub.clock.now()), has=has, wrote=ours.number)
    return road.pack(back, [frame for frame in told if isinstance(frame, Entries)], hub.signer)


async def _news(hub: Hub, own: str, has: Heads) -> Sequence[Entry]:
    """Nothing for a station of another epoch: only the line can heal that."""
    return await hub.since(own, has[own][0], MOST_ENTRIES) if own in has else []
