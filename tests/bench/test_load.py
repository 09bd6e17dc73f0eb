"""What the load over the link sends is what a station would have written."""

from datetime import UTC, datetime

from parcelwall.bench import visits
from parcelwall.bench.link_job import Dialling, Visitor
from parcelwall.bench.load_link import wire
from parcelwall.bench.network import seed
from parcelwall.clock import SystemClock
from parcelwall.ids import Ids
from parcelwall.journal import chain
from parcelwall.link import frames
from parcelwall.link.identity import Signer
from parcelwall.link.shipping import checked
from parcelwall.rules import facts

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def told(count: int) -> Dialling:
    ids = Ids(SystemClock())
    parcels = [Visitor(str(ids.new()), str(ids.new())) for _ in range(count)]
    return Dialling(station="T-0001", port=1, number=0, hash=chain.start("T-0001").hash.hex(),
                    hub_writer="hub:1/T-0001", hub_number=5, parcels=parcels)  # fmt: skip


def test_each_parcel_is_brought_and_collected_once_and_doors_are_free_when_used() -> None:
    inside: dict[int, str] = {}
    counts = {"Deposited": 0, "Collected": 0}
    for entry in visits.entries(told(50), Ids(SystemClock()), NOW):
        fact = facts.read(entry.kind, entry.body)
        if isinstance(fact, facts.Deposited):
            assert fact.compartment not in inside
            inside[fact.compartment] = str(fact.parcel)
        if isinstance(fact, facts.Collected):
            assert inside.pop(fact.compartment) == str(fact.parcel)
        if entry.kind in counts:
            counts[entry.kind] += 1
    assert counts == {"Deposited": 50, "Collected": 50}
    assert not inside


def test_frames_hold_before_the_hub() -> None:
    station, signer = told(12), Signer(seed("T-0001"))
    written = visits.entries(station, Ids(SystemClock()), NOW)
    heard: list[chain.Entry] = []
    for _, text in visits.framed(written, 0, 10, signer):
        frame = frames.decode(text)
        assert isinstance(frame, frames.Entries)
        heard += checked([frame], signer.public, "T-0001")
    assert chain.follow(chain.start("T-0001"), heard).number == len(written) == 12 * 6


def test_messages_are_masked_with_zeros() -> None:
    assert wire("hi") == b"\x81\x82\x00\x00\x00\x00hi"
    assert wire("x" * 200)[:8] == b"\x81\xfe\x00\xc8\x00\x00\x00\x00"
    assert wire("x" * 70_000)[:10] == b"\x81\xff" + (70_000).to_bytes(8, "big")
