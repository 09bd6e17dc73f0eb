"""What the hub sets up reaches a station by the hub's signed stream and by no other way."""

import msgspec
import pytest

from parcelwall import clock
from parcelwall.journal import chain
from parcelwall.journal.chain import Draft, Head
from parcelwall.link import frames
from parcelwall.link.frames import BadFrame
from parcelwall.link.identity import Signer, head_bytes, welcome_bytes
from parcelwall.link.station_end import StationEnd, WelcomeBody
from parcelwall.rules import facts
from parcelwall.rules.layout import plain_layout
from station.rig import NAME, WRITER, Rig

HUB, OTHER = Signer(b"h" * 32), Signer(b"o" * 32)


def welcomed(rig: Rig) -> StationEnd:
    """The station's end of a line to the hub it knows."""
    rig.memory.know({"hub_key": HUB.public.hex()})
    end = rig.station.line_end("hub.example")
    end.hear(frames.encode(frames.Challenge("hub.example", "00" * 32, "")))
    has = rig.memory.has()
    at, wrote = clock.text(rig.now.now()), {WRITER: (has.number, has.hash.hex())}
    body = msgspec.json.encode(WelcomeBody(at=at, has={}, wrote=wrote)).decode()
    end.hear(frames.encode(frames.Welcome(body, HUB.sign(welcome_bytes(NAME, end._nonce, body)))))
    assert end.welcomed
    return end


def layout(rig: Rig, by: Signer | None, writer: str = WRITER, signed_as: str = WRITER) -> str:
    """A frame with one entry: the station has other doors now. `by` is who signs it, nobody without."""
    fact = facts.StationConfigured(station=NAME, name="Elsewhere", address="", lat=1, lon=1, layout=plain_layout("LLL"))
    head = rig.memory.has()
    [entry] = chain.extend(writer, head, [Draft(fact.kind, clock.text(rig.now.now()), facts.body(fact))])
    sig = by.sign(head_bytes(signed_as, Head(entry.number, entry.hash))) if by else ""
    return frames.encode(
        frames.Entries(writer, head.number, entry.number, frames.items([entry]), entry.hash.hex(), sig)
    )


async def test_a_layout_that_the_hub_signed_is_taken(rig: Rig) -> None:
    [ack] = welcomed(rig).hear(layout(rig, HUB))
    assert frames.decode(ack) == frames.Ack(WRITER, rig.memory.has().number)
    assert rig.desk.about is not None and rig.desk.about.name == "Elsewhere"


@pytest.mark.parametrize("how", ["unsigned", "by another", "by the station", "for another stream", "in another stream"])
async def test_any_other_layout_is_refused(rig: Rig, how: str) -> None:
    end, before = welcomed(rig), (rig.memory.has(), rig.desk.about)
    own = Signer(bytes.fromhex(rig.memory.identity("key") or ""))
    frame = {
        "unsigned": layout(rig, None), "by another": layout(rig, OTHER), "by the station": layout(rig, own),
        "for another stream": layout(rig, HUB, signed_as="hub:1/S-0002"),
        "in another stream": layout(rig, HUB, writer=NAME, signed_as=NAME),
    }[how]  # fmt: skip
    with pytest.raises(BadFrame):
        end.hear(frame)
    assert (rig.memory.has(), rig.desk.about) == before


async def test_nothing_is_taken_from_who_has_not_proved_itself(rig: Rig) -> None:
    rig.memory.know({"hub_key": HUB.public.hex()})
    end, before = rig.station.line_end("hub.example"), rig.memory.has()
    end.hear(frames.encode(frames.Challenge("hub.example", "00" * 32, "")))
    with pytest.raises(BadFrame):
        end.hear(layout(rig, HUB))
    assert rig.memory.has() == before
