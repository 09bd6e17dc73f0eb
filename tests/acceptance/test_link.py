"""The real /link of a real hub process, with a computer at the other end that does not keep the protocol."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from acceptance.processes import HubProcess, a_hub
from parcelwall.journal import chain
from parcelwall.journal.chain import Draft, Entry, Head
from parcelwall.link import frames
from parcelwall.link.identity import Signer, enrol_bytes, head_bytes, hello_bytes
from parcelwall.rules import facts

pytestmark = pytest.mark.timeout(120)
AT = "2026-11-22T08:00:00.000000Z"
HERE_TWICE = "0198f000-0000-7000-8000-00000000beef"


class Computer:
    """A station's computer whose program we write ourselves: it signs what it likes with a real key."""

    def __init__(self, url: str, station: str = "S-0007", seed: bytes = b"7" * 32) -> None:
        self.url, self.station, self.signer = url, station, Signer(seed)
        self.head = chain.start(station)
        self.wrote: list[Entry] = []
        self.hub_writer = ""

    @property
    def hub(self) -> str:
        return self.url.partition("://")[2]

    def enrol(self, code: str, **changes: str) -> httpx.Response:
        nonce = httpx.get(f"{self.url}/enrol", trust_env=False).json()["nonce"]
        sig = self.signer.sign(enrol_bytes(self.hub, code, self.signer.public, bytes.fromhex(nonce)))
        body = {"claim": code, "public_key": self.signer.public.hex(), "nonce": nonce, "sig": sig} | changes
        return httpx.post(f"{self.url}/enrol", json=body, trust_env=False)

    def dial(self) -> ClientConnection:
        return connect(f"ws://{self.hub}/link", subprotocols=["parcelwall.1"], compression=None, proxy=None)

    def hello(self, challenge: dict[str, Any], **changes: Any) -> str:
        body = {"station": self.station, "nonce": "00" * 32, "boot": "b", "mono": 0, "at": AT, "wrote": {}, "has": {}}
        written = json.dumps(body | changes)
        signed = hello_bytes(self.hub, bytes.fromhex(challenge["nonce"]), written)
        return json.dumps({"k": "hello", "body": written, "sig": self.signer.sign(signed)})

    def welcomed(self) -> ClientConnection:
        line = self.dial()
        line.send(self.hello(json.loads(line.recv())))
        assert json.loads(line.recv())["k"] == "welcome"
        return line

    def write(self, *told: facts.Fact | tuple[str, str]) -> list[Entry]:
        """The next entries of its journal; a pair is a kind and a body of our own."""
        pairs = [(each.kind, facts.body(each)) if isinstance(each, facts.Fact) else each for each in told]
        entries = chain.extend(self.station, self.head, [Draft(kind, AT, body) for kind, body in pairs])
        self.head = Head(entries[-1].number, entries[-1].hash)
        self.wrote += entries
        return list(entries)

    def frame(self, entries: list[Entry], **changes: Any) -> str:
        last = entries[-1]
        sig = self.signer.sign(head_bytes(self.station, Head(last.number, last.hash)))
        made = frames.Entries(
            self.station, entries[0].number - 1, last.number, frames.items(entries), last.hash.hex(), sig
        )
        return json.dumps(json.loads(frames.encode(made)) | changes)


def answer(line: ClientConnection, kind: str) -> dict[str, Any]:
    """The next frame of this kind."""
    while (frame := json.loads(line.recv(timeout=10)))["k"] != kind:
        pass
    return dict(frame)


def closed_with(line: ClientConnection, *messages: str | bytes) -> int:
    """Sends, and answers with the code that the hub closes the line with."""
    with contextlib.suppress(ConnectionClosed):
        for message in messages:
            line.send(message)
        while True:
            line.recv(timeout=15)
    assert line.close_code is not None
    return line.close_code  # 1006 for a line that broke without a word


@pytest.fixture(scope="module")
def hub() -> Iterator[HubProcess]:
    with a_hub() as running:
        yield running
        assert running.differences() == []
        assert "link_failed" not in running.log() and "Traceback" not in running.log()


@pytest.fixture(scope="module")
def computer(hub: HubProcess) -> Computer:
    made = Computer(hub.url)
    given = made.enrol(hub.configure("S-0007", "SSM"))
    assert given.status_code == 201 and given.json()["station"] == "S-0007"
    made.hub_writer = given.json()["hub_writer"]
    return made


def door_opened() -> facts.DoorOpened:
    return facts.DoorOpened(compartment=1)


# before the hub knows who it is

STRANGE = {
    "nothing": "", "words": "hello?", "half a frame": '{"k": "hello", "body": "', "a list": "[]", "bytes": b"\x00\xff",
    "a frame of another shape": '{"k": "hello", "body": 7}', "depth": '{"k":"hello","body":' + "[" * 50_000,
}  # fmt: skip


@pytest.mark.parametrize("message", STRANGE.values(), ids=STRANGE)
def test_garbage_instead_of_a_hello(computer: Computer, message: str | bytes) -> None:
    assert closed_with(computer.dial(), message) == 4400


def test_entries_before_a_hello(computer: Computer) -> None:
    beat = json.dumps({"k": "beat", "boot": "b", "mono": 0, "at": AT, "wrote": 0})
    assert closed_with(computer.dial(), beat) == 4401


def test_a_frame_without_end(computer: Computer) -> None:
    assert closed_with(computer.dial(), "x" * 299_999) == 4400
    assert closed_with(computer.dial(), "x" * 300_001) == 1009


def test_hellos_of_somebody_else(computer: Computer) -> None:
    stranger = Computer(computer.url, seed=b"8" * 32)
    unknown = Computer(computer.url, station="S-0404")
    nul = Computer(computer.url, station="S-\0")
    for each, code in ((stranger, 4401), (unknown, 4401), (nul, 4400)):
        line = each.dial()
        assert closed_with(line, each.hello(json.loads(line.recv()))) == code
    line = computer.dial()
    line.recv()
    assert closed_with(line, computer.hello({"nonce": "11" * 32})) == 4401  # replayed: signed for another challenge
    line = computer.dial()
    assert closed_with(line, computer.hello(json.loads(line.recv()), protocol=99)) == 4426


# after


def test_what_it_wrote_is_stored_once(computer: Computer) -> None:
    line = computer.welcomed()
    frame = computer.frame(computer.write(door_opened(), door_opened()))
    for _ in range(3):  # replayed
        line.send(frame)
        assert answer(line, "ack")["through"] == computer.head.number
    later = [computer.frame(computer.write(door_opened())) for _ in range(3)]
    line.send(later[2])  # reordered: what comes too early is asked for again
    assert answer(line, "gap")["have"] == computer.head.number - 3
    for each in later:
        line.send(each)
    while answer(line, "ack")["through"] < computer.head.number:
        pass
    line.close()


TWISTED: dict[str, dict[str, Any]] = {
    "numbers that do not fit": {"after": 0, "through": 99},
    "a number below zero": {"after": -1},
    "a number above all": {"after": 2**62, "through": 2**62 + 1},
    "a number that no machine holds": {"through": 2**80},
    "no items": {"items": []},
    "a head of words": {"head": "last"},
    "another writer": {"writer": "S-0001"},
    "another signature": {"sig": "00" * 64},
}


@pytest.mark.parametrize("changes", TWISTED.values(), ids=TWISTED)
def test_entries_that_contradict_themselves(computer: Computer, changes: dict[str, Any]) -> None:
    kept = computer.head, list(computer.wrote)
    frame = computer.frame(computer.write(door_opened()), **changes)
    assert closed_with(computer.welcomed(), frame) == 4400
    computer.head, computer.wrote = kept


NO_TIMES = ["0001-01-01T00:00:00.000000+14:00", "2026-11-22T08:00:00", "yesterday", "2026-13-01T00:00:00Z"]


@pytest.mark.parametrize("at", NO_TIMES)
def test_times_that_no_calendar_has(computer: Computer, at: str) -> None:
    entry = msgspec.structs.replace(computer.write(door_opened())[0], happened_at=at)
    computer.head = Head(computer.head.number - 1, computer.wrote[-2].hash)
    computer.wrote.pop()
    assert closed_with(computer.welcomed(), computer.frame([entry])) == 4400
    beat = json.dumps({"k": "beat", "boot": "b", "mono": 0, "at": at, "wrote": 0})
    assert closed_with(computer.welcomed(), beat) == 4400


def test_another_story_under_a_known_number(hub: HubProcess, computer: Computer) -> None:
    """A disk that was put back: nothing is overwritten, and the line is refused."""
    told = hub.count("SELECT body FROM entry WHERE writer = 'S-0007' AND number = 1")
    other = Computer(computer.url)
    assert closed_with(computer.welcomed(), other.frame(other.write(facts.DoorOpened(compartment=3)))) == 4400
    assert hub.count("SELECT body FROM entry WHERE writer = 'S-0007' AND number = 1") == told


def test_what_is_not_understood_is_kept_and_told(hub: HubProcess, computer: Computer) -> None:
    """Of another station, not a station's kind, unreadable, or newer than this hub: stored all the same."""
    line = computer.welcomed()
    bodies = [
        ("Collected", json.dumps({"parcel": HERE_TWICE, "reservation": HERE_TWICE, "station": "S-0001",
                                  "compartment": 1, "visit": HERE_TWICE, "generation": 0})),
        ("Announced", "{}"), ("DoorOpened", '{"compartment": "first"}'), ("Dreamt", '{"of": "electric parcels"}'),
    ]  # fmt: skip
    line.send(computer.frame(computer.write(*bodies)))
    assert answer(line, "ack")["through"] == computer.head.number
    line.close()
    assert hub.count("SELECT count(*) FROM dead_letter WHERE writer = 'S-0007' AND number > 0") == 3


def test_a_number_that_was_never_sent_is_not_acknowledged(computer: Computer) -> None:
    ack = json.dumps({"k": "ack", "writer": computer.hub_writer, "through": 9_999})
    assert closed_with(computer.welcomed(), ack) == 4400


def test_a_second_line_replaces_the_first(computer: Computer) -> None:
    first = computer.welcomed()
    second = computer.welcomed()
    assert closed_with(first) == 4409
    second.send(json.dumps({"k": "beat", "boot": "b", "mono": 5, "at": AT, "wrote": computer.head.number}))
    assert answer(second, "beat_back")["mono"] == 5
    second.close()


# enrolment; the last test keeps this address waiting


def test_a_claim_serves_once_and_only_its_signer(hub: HubProcess, computer: Computer) -> None:
    claim = hub.configure("S-0008", "SSM")
    taker, other = Computer(hub.url, "S-0008", b"9" * 32), Computer(hub.url, "S-0008", b"a" * 32)
    for wrong in ({"sig": "00" * 64}, {"nonce": "00" * 32}, {"public_key": other.signer.public.hex()}):
        assert taker.enrol(claim, **wrong).json()["reason"] == "bad_field"
    assert taker.enrol(claim, claim="no claim at all").status_code in (400, 403)
    assert taker.enrol(claim).status_code == 201
    assert other.enrol(claim).json()["reason"] == "claim_unknown"


def test_a_station_that_dials_another_name_is_told_which_is_right(hub: HubProcess) -> None:
    stranger = Computer(hub.url.replace("127.0.0.1", "localhost"), "S-0010", b"b" * 32)
    told = stranger.enrol(hub.configure("S-0010", "S")).json()["detail"]
    assert told.startswith(f"This hub is called 127.0.0.1:{hub.port}, and was dialled as localhost:{hub.port}.")
    line = stranger.dial()
    assert closed_with(line, stranger.hello(json.loads(line.recv()), station="S-0007")) == 4401
    assert line.close_reason == f"this hub is called 127.0.0.1:{hub.port}: write that into hub_url"
    assert "`hub_url`" in told and f"add localhost:{hub.port} to PARCELWALL_LINK_NAMES" in told


def test_guessing_claims_ends_after_ten(hub: HubProcess, computer: Computer) -> None:
    answers = [computer.enrol(f"0000-0000-{guess:04d}").json()["reason"] for guess in range(11)]
    assert set(answers[:8]) == {"claim_unknown"} and answers[-1] == "too_many_tries"
    good = hub.configure("S-0009", "S")
    assert computer.enrol(good).json()["reason"] == "too_many_tries"
