"""One side was restored from an older disk: heads and hashes tell, and only what is signed is believed."""

from collections.abc import Sequence

import msgspec
import pytest

from link.books import HUB_KEY, HUB_WRITER, NOW, OTHER_KEY, STATION, STATION_KEY, Pair, deliver
from parcelwall import clock
from parcelwall.errors import Trouble
from parcelwall.journal import chain
from parcelwall.journal.chain import Draft, Entry, Head
from parcelwall.link import frames
from parcelwall.link.frames import BadFrame
from parcelwall.link.hub_end import HubEnd, Known
from parcelwall.link.identity import Signer, head_bytes, rekey_bytes, welcome_bytes
from parcelwall.link.station_end import StationEnd, WelcomeBody

NEXT = "hub:1795334400/S-0012"


async def lost(pair: Pair, keep: int = 0) -> Pair:
    """The same station, and a hub restored to where it had written `keep` entries; the epoch was raised."""
    restored = Pair()
    restored.station, restored.now = pair.station, pair.now
    restored.hub.journal.receive(HUB_WRITER, (await pair.hub.since(HUB_WRITER, 0, keep)) if keep else [], "")
    restored.hub.epoch, restored.hub.own = 1_795_334_400, NEXT
    return restored


@pytest.fixture
async def old() -> Pair:
    pair = Pair()
    pair.hub.write("a", "b")
    station, hub = await pair.connected()
    pair.station.write("x")
    pair.hub.write("c")
    await deliver(station, hub, await hub.news())
    for message in station.news():
        await deliver(station, hub, await hub.hear(message))
    return pair


async def test_the_hub_gets_back_what_it_wrote_and_what_the_station_wrote(old: Pair) -> None:
    restored = await lost(old, keep=1)
    restored.hub.write("new")
    await restored.connected()
    for writer in (HUB_WRITER, STATION, NEXT):
        here, there = restored.station.since(writer, 0, 99), await restored.hub.since(writer, 0, 99)
        assert here == there != []
    assert restored.station.hub_writer == NEXT


async def test_in_the_order_in_which_the_station_learnt_it(old: Pair) -> None:
    restored = await lost(old)
    await restored.connected()
    marks = [(writer, number) for _, writer, number in restored.hub.journal.marks(0) if writer in (HUB_WRITER, STATION)]
    assert marks == [(writer, number) for _, writer, number in old.station.journal.marks(0)]


async def test_a_hub_that_lost_entries_and_does_not_say_so_is_refused_by_both(old: Pair) -> None:
    behind = Pair()
    behind.station, behind.now = old.station, old.now
    station, hub = behind.ends()
    with pytest.raises(BadFrame) as bad:
        await hub.hear(station.hear(hub.challenge())[0])
    assert bad.value.code == frames.BOOKS_DIFFER
    station, hub = behind.ends()
    station.hear(hub.challenge())
    with pytest.raises(Trouble, match="hub-restored"):
        station.hear(welcome(station, HUB_KEY, {HUB_WRITER: (1, "")}))


async def test_the_same_number_with_another_hash_is_told(old: Pair) -> None:
    """Both had gone on: as many entries, other ones."""
    other = Pair()
    other.hub.write("a", "b", "z")
    other.station, other.now = old.station, old.now
    station, hub = other.ends()
    with pytest.raises(BadFrame) as bad:
        await hub.hear(station.hear(hub.challenge())[0])
    assert bad.value.code == frames.BOOKS_DIFFER


@pytest.mark.parametrize(("wrote", "has"), [({HUB_WRITER: (3, "00" * 32)}, {}), ({}, {STATION: (1, "00" * 32)})])
async def test_the_station_looks_at_hashes_too(old: Pair, wrote: dict, has: dict) -> None:  # type: ignore[type-arg]
    station, hub = old.ends()
    station.hear(hub.challenge())
    with pytest.raises(Trouble, match="another"):
        station.hear(welcome(station, HUB_KEY, {HUB_WRITER: (3, old.station.has().hash.hex()), **wrote}, has))


@pytest.mark.parametrize("since", [(), ("other",), ("other", "and more")], ids=["less", "as much", "more"])
async def test_a_disk_that_lied_is_found_out_by_both_sides(old: Pair, since: tuple[str, ...]) -> None:
    """What the hub has of the station is gone there, and perhaps other things stand under those numbers by now. With
    more of them than the hub has only the station can tell."""
    pair = Pair()
    pair.hub, pair.now = old.hub, old.now
    held = old.station.since(STATION, 0, 99)
    pair.station.journal.receive(STATION, held[:-1], "")
    pair.station.journal.receive(HUB_WRITER, await old.hub.since(HUB_WRITER, 0, 99), "")
    pair.station.write(*since)
    station, hub = pair.ends()
    answers = await hub.hear(station.hear(hub.challenge())[0])
    with pytest.raises(Trouble, match=r"older disk|two computers"):
        station.hear(answers[0])
    assert not station.welcomed
    assert station.news() == []
    assert old.hub.differing == ([] if len(since) > 1 else [STATION])
    assert await old.hub.since(STATION, 0, 99) == held


def welcome(station: StationEnd, key: bytes, wrote: dict, has: dict | None = None) -> str:  # type: ignore[type-arg]
    """What a hub with this key says to a station that has said hello."""
    body = msgspec.json.encode(WelcomeBody(at=clock.text(NOW), has=has or {}, wrote=wrote)).decode()
    return frames.encode(frames.Welcome(body, Signer(key).sign(welcome_bytes(STATION, station._nonce, body))))


async def test_a_new_epoch_is_followed_only_from_the_hub_we_know(old: Pair) -> None:
    station, hub = old.ends()
    station.hear(hub.challenge())
    with pytest.raises(BadFrame) as bad:
        station.hear(welcome(station, OTHER_KEY, {NEXT: (0, "")}))
    assert bad.value.code == frames.WRONG_IDENTITY
    assert old.station.hub_writer == HUB_WRITER
    station.hear(welcome(station, HUB_KEY, {NEXT: (0, "")}))
    assert old.station.hub_writer == NEXT


async def test_an_older_epoch_is_not_followed(old: Pair) -> None:
    restored = await lost(old)
    await restored.connected()
    station, hub = restored.ends()
    station.hear(hub.challenge())
    with pytest.raises(Trouble, match="hub-restored"):
        station.hear(welcome(station, HUB_KEY, {HUB_WRITER: (3, "")}))


@pytest.mark.parametrize("key", [STATION_KEY, OTHER_KEY], ids=["the station's own", "nobody's"])
async def test_a_station_cannot_make_up_what_the_hub_is_said_to_have_written(old: Pair, key: bytes) -> None:
    restored = await lost(old)
    station, hub = restored.ends()
    await hub.hear(station.hear(hub.challenge())[0])
    made = chain.extend(HUB_WRITER, chain.start(HUB_WRITER), [Draft("Said", "2026-11-22T08:00:00.000000Z", "{}")])
    sig = Signer(key).sign(head_bytes(HUB_WRITER, Head(1, made[0].hash)))
    with pytest.raises(BadFrame, match="signature"):
        await hub.hear(frames.encode(frames.Entries(HUB_WRITER, 0, 1, frames.items(made), made[0].hash.hex(), sig)))
    assert restored.hub.entries() == []


async def test_a_past_stream_with_another_story_stays_as_it_is_on_both_sides(old: Pair) -> None:
    restored = await lost(old, keep=1)
    restored.hub.journal.write(HUB_WRITER, [Draft("Said", "2026-11-22T08:00:00.000000Z", '{"word":"other"}')], "")
    before = await restored.hub.since(HUB_WRITER, 0, 9)
    await restored.connected()
    assert await restored.hub.since(HUB_WRITER, 0, 9) == before
    assert restored.hub.differing == [HUB_WRITER]
    assert await restored.hub.since(STATION, 0, 9) == restored.station.since(STATION, 0, 9)


async def test_a_station_does_not_have_any_number_of_streams(old: Pair) -> None:
    for number in range(2, 203):
        old.station.journal.write(f"hub:{number}/S-0012", [Draft("Said", "2026-11-22T08:00:00.000000Z", "{}")], "")
    station, hub = old.ends()
    with pytest.raises(BadFrame, match="at most 200"):
        await hub.hear(station.hear(hub.challenge())[0])


# keys


async def test_a_key_is_renewed_over_the_line(old: Pair) -> None:
    new = Signer(b"n" * 32)
    _, hub = old.ends()
    station = ending(old, Signer(STATION_KEY), new)
    await deliver(station, hub, [hub.challenge()])
    assert station.rekeyed
    assert old.hub.known_as[STATION] == Known(Signer(STATION_KEY).public, STATION, new.public)
    _, hub = old.ends()
    await deliver(ending(old, new), hub, [hub.challenge()])
    assert old.hub.keys == {STATION: new.public}
    _, hub = old.ends()
    with pytest.raises(BadFrame) as bad:
        await deliver(ending(old, Signer(STATION_KEY)), hub, [hub.challenge()])
    assert bad.value.code == frames.WRONG_IDENTITY


def ending(pair: Pair, signer: Signer, new: Signer | None = None) -> StationEnd:
    return StationEnd(pair.station, signer, "hub.example", Signer(HUB_KEY).public, b"n" * 32, "b", pair.now,
                      next_key=new)  # fmt: skip


@pytest.mark.parametrize("wrong", ["sig", "proof", "key"])
async def test_a_new_key_is_signed_by_both(old: Pair, wrong: str) -> None:
    station, hub = old.ends()
    await deliver(station, hub, [hub.challenge()])
    new = Signer(b"n" * 32)
    told = rekey_bytes("hub.example", hub._nonce, STATION, new.public)
    good = frames.Rekey(new.public.hex(), Signer(STATION_KEY).sign(told), new.sign(told))
    bad = {"sig": new.sign(told), "proof": Signer(STATION_KEY).sign(told), "key": "zz"}
    with pytest.raises(BadFrame):
        await hub.hear(frames.encode(msgspec.structs.replace(good, **{wrong: bad[wrong]})))
    assert old.hub.known_as == {}


async def test_a_revoked_computer_is_told_so_and_a_stranger_is_not(old: Pair) -> None:
    old.hub.known_as[STATION] = Known(Signer(STATION_KEY).public, STATION, revoked=True)
    for key, code in ((STATION_KEY, frames.REVOKED), (OTHER_KEY, frames.WRONG_IDENTITY)):
        station, hub = old.ends(station_key=key)
        with pytest.raises(BadFrame) as bad:
            await hub.hear(station.hear(hub.challenge())[0])
        assert bad.value.code == code
        assert (hub.station, hub.claims) == ("", STATION), "nobody's line; the hub's log names it all the same"


# what a new computer fetches


async def test_a_new_computer_fetches_both_books_and_then_says_so(old: Pair) -> None:
    fresh = Pair()
    fresh.hub, fresh.now = old.hub, old.now
    fresh.station.writer = "S-0012:1795334400"
    old.hub.known_as[STATION] = Known(Signer(STATION_KEY).public, fresh.station.writer)
    station, hub = fresh.ends()
    assert isinstance(hub, HubEnd)
    await deliver(station, hub, [hub.challenge()])
    assert fresh.station.whole == 1
    assert fresh.station.since(STATION, 0, 9) == await old.hub.since(STATION, 0, 9) != []
    assert fresh.station.since(HUB_WRITER, 0, 9) == await old.hub.since(HUB_WRITER, 0, 9)


async def test_a_new_computer_without_room_asks_again_with_each_beat(old: Pair) -> None:
    """What it fetches finds no room, and later what follows from it: nothing is left out, and the line stays."""
    fresh = Pair()
    fresh.hub, fresh.now = old.hub, old.now
    fresh.station.writer = "S-0012:1795334400"
    old.hub.known_as[STATION] = Known(Signer(STATION_KEY).public, fresh.station.writer)
    station, hub = fresh.ends()
    taken, whole, full = fresh.station.receive, fresh.station.restored, {"receive", "restored"}

    def receive(entries: Sequence[Entry], sig: str) -> int:
        if "receive" in full:
            raise Trouble("no room")
        return taken(entries, sig)

    def restored() -> None:
        if "restored" in full:
            raise Trouble("no room")
        whole()

    fresh.station.receive, fresh.station.restored = receive, restored  # type: ignore[method-assign]
    await deliver(station, hub, [hub.challenge()])
    for _ in range(2):
        await deliver(station, hub, await hub.hear(*station.beat()))
        assert fresh.station.since(STATION, 0, 9) == []
    full.remove("receive")
    await deliver(station, hub, await hub.hear(*station.beat()))
    assert fresh.station.since(STATION, 0, 9) == await old.hub.since(STATION, 0, 9) != []
    assert fresh.station.since(HUB_WRITER, 0, 9) == await old.hub.since(HUB_WRITER, 0, 9) != []
    assert fresh.station.whole == 0
    full.clear()
    for _ in range(2):
        await deliver(station, hub, await hub.hear(*station.beat()))
    assert fresh.station.whole == 1, "once"
