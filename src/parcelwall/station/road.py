"""The other road, at the station: what the hub has not heard is shown to a courier's phone, and what the hub answers is
held to the reader. Nobody here trusts the phone: `link.road` says why nobody has to.
"""

from collections.abc import Callable

from parcelwall.clock import parse, text
from parcelwall.errors import Refusal
from parcelwall.journal import streams
from parcelwall.journal.chain import Broken, Head
from parcelwall.link import paper, road
from parcelwall.link.frames import BadFrame, Entries
from parcelwall.link.identity import Signer
from parcelwall.link.shipping import Shipper, checked
from parcelwall.station.memory import Memory
from parcelwall.station.reserve import CannotWrite
from parcelwall.station.visit import told_until

MOST_ENTRIES = 1_000  # read for one bundle, which holds some hundreds of them


class Road:
    """What is under way on this screen. `signer` gives the station's own key."""

    def __init__(self, memory: Memory, signer: Callable[[], Signer]) -> None:
        self._memory, self._signer = memory, signer
        self._gathering = paper.Gathering()
        self.sheets: tuple[str, ...] = ()  # texts of the QR codes that the screen shows in a loop
        self.shown_through = 0  # the last entry that is in them

    @property
    def unsent(self) -> int:
        """Entries that the hub is not known to have, by any road."""
        return self._memory.unsent()

    @property
    def later(self) -> int:
        """Entries that did not fit into what the screen shows: they are the next part."""
        return max(0, self._memory.wrote().number - self.shown_through)

    @property
    def read(self) -> tuple[int, int]:
        """Frames of the hub's answer that the reader has seen, and how many there are; 0 and 0 before the first."""
        return self._gathering.have, self._gathering.of

    def show(self, next_part: bool = False) -> None:
        """Packs what the hub has not acknowledged, or what follows after the part that was shown."""
        memory, signer = self._memory, self._signer()
        after = self.shown_through if next_part else memory.wrote().number - self.unsent
        shipper = Shipper(memory.writer, signer)
        shipper.begin(after)
        told = shipper.ship(memory.since(memory.writer, after, MOST_ENTRIES))
        entries = [frame for frame in told if isinstance(frame, Entries)]
        bundle = road.pack(self._header(), entries, signer)
        carried = road.read(bundle).entries
        self.shown_through = carried[-1].through if carried else after
        self.sheets = tuple(paper.sheets(bundle, paper.TO_PHONE_BYTES))
        self._gathering = paper.Gathering()

    def _header(self) -> road.Header:
        """With past streams of the hub's: one that was restored may have less of them, and takes nothing before it has
        been given that by the line."""
        memory, heads = self._memory, self._memory.heads()
        made = told_until(memory.unfinished(), parse(memory.now_text()))
        return road.Header(
            from_=memory.station, to=road.HUB, made=text(made), wrote=memory.wrote().number,
            has={name: (head.number, head.hash.hex()) for name, head in heads.items() if streams.is_hubs(name)},
        )  # fmt: skip

    def hear(self, text: str) -> bool:
        """One frame of the hub's answer, from the reader. True when it was the last and all of it is kept.

        Refuses what the hub has not signed for this station, and what cannot be written down.
        """
        bundle = self._gathering.take(text)
        if bundle is None:
            return False
        try:
            self._take(road.read(bundle))
        except (BadFrame, Broken) as no:
            raise Refusal("bundle_unknown") from no
        except CannotWrite as no:
            raise Refusal("cannot_record") from no
        return True

    def _take(self, bundle: road.Bundle) -> None:
        memory, header = self._memory, bundle.header
        key = bytes.fromhex(memory.identity("hub_key") or "")
        ours = (header.from_, header.to) == (road.HUB, memory.station)
        if not ours or memory.restoring or not bundle.is_by(key):
            raise BadFrame("this bundle is not the hub's for this station")
        for frame in bundle.entries:
            entries = checked([frame], key, memory.hub_writer)
            if frame.after > memory.has().number:
                raise BadFrame("entries are missing before these: ask for them with what the screen shows now")
            memory.receive(entries, frame.sig)
        number, digest = header.has.get(memory.writer, (0, ""))
        if header.made < (memory.identity("welcomed_at") or ""):
            return  # a welcome has said it since, of a hub that may have been restored to before it had all of that
        if number and self._is_ours(Head(number, bytes.fromhex(digest))):
            memory.acknowledged(number)

    def _is_ours(self, head: Head) -> bool:
        """Whether the hub has what this computer wrote under that number, and not another's."""
        return [e.hash for e in self._memory.since(self._memory.writer, head.number - 1, 1)] == [head.hash]
