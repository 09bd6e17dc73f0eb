"""Relay boards on Modbus RTU, Waveshare's "Modbus RTU Relay (D)" and alike: 9600 8N1, CRC-16. Source: hardware.md 2.6.

    function         request                   reply
    pulse a relay    AA 05 02 RR 00 NN C C     the same bytes
    let all go       AA 05 00 FF 00 00 C C     the same bytes
    read inputs      AA 02 00 00 00 QQ C C     AA 02 LL I.. C C
    a no                                       AA 85 EE C C, or AA 82

AA slave 1 to 255, RR relay from 0, NN tenths of a second, which the board times itself ("flash-on"), QQ inputs, LL
bytes of them, I inputs 1 to 8 in the first byte, EE why not, C C the CRC-16/MODBUS, low byte first. Relays and inputs
count from 1 here, as on the board. Slave 0 would mean all boards. No relay can be switched on for good (FF00), for a
crash would leave its coil powered; all relays at once and function 0F cannot be made here at all.
"""

from parcelwall.drivers.driver import Driver
from parcelwall.drivers.frames import Bad, Decoded, Echo, Expect, Kind, NeedMore, Reply, Request
from parcelwall.drivers.profile import Profile

READ_INPUTS, WRITE_COIL, NO = 0x02, 0x05, 0x80
FLASH, ALL_RELAYS = 0x0200, 0x00FF  # where the board keeps its timed relays; all of them at once
BOARDS, RELAYS, TENTHS = range(1, 256), range(1, 33), range(1, 21)
WRITE_BYTES, NO_BYTES = 8, 5


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
    return byte


CRC_OF_BYTE = tuple(map(_crc_of_byte, range(256)))


def crc(body: bytes | bytearray) -> bytes:
    """CRC-16/MODBUS as it stands on the wire."""
    value = 0xFFFF
    for byte in body:
        value = value >> 8 ^ CRC_OF_BYTE[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


def pulse_frame(board: int, relay: int, tenths: int) -> bytes:
    """Drive one coil once, for so many tenths of a second. Raises ValueError for what is not one board, one relay and
    0.1 to 2 s.
    """
    if type(tenths) is not int or tenths not in TENTHS:
        raise ValueError(f"a pulse of {tenths!r} tenths of a second cannot be asked for: 1 to 20")
    return _frame(_board(board), WRITE_COIL, FLASH + _relay(relay) - 1, tenths)


def rest_frame(board: int) -> bytes:
    """Lets go of all relays of one board. Raises ValueError for a board out of 1 to 255."""
    return _frame(_board(board), WRITE_COIL, ALL_RELAYS, 0)


def inputs_frame(board: int, inputs: int = 8) -> bytes:
    """Read the first inputs of one board. Raises ValueError like `rest_frame`."""
    return _frame(_board(board), READ_INPUTS, 0, inputs)


def _frame(board: int, function: int, address: int, value: int) -> bytes:
    body = bytes((board, function)) + address.to_bytes(2, "big") + value.to_bytes(2, "big")
    return body + crc(body)


def _board(board: int) -> int:
    if type(board) is not int or board not in BOARDS:
        raise ValueError(f"slave {board!r} cannot be addressed: slaves are 1 to 255, and 0 would mean all of them")
    return board


def _relay(relay: int) -> int:
    if type(relay) is not int or relay not in RELAYS:
        raise ValueError(f"relay {relay!r} cannot be addressed: relays are 1 to 32")
    return relay


def decode(buffer: bytes | bytearray, expect: Expect | None) -> Decoded:
    """The first frame in the buffer, checked by slave, function, length and CRC together."""
    if expect is None:
        return NeedMore(len(buffer), len(buffer))  # slaves never speak by themselves
    function = expect.sent[1]
    junk = _start(buffer, expect.board, function)
    rest = bytes(buffer[junk:])
    if len(rest) < 3:
        return NeedMore(junk, junk)
    if rest[1] == function | NO:
        return _refused(rest, junk, expect)
    if function == WRITE_COIL:
        return _written(rest, junk, expect)
    return _inputs(rest, junk, expect)


def _start(buffer: bytes | bytearray, board: int, function: int) -> int:
    """Where a frame may begin: nothing marks it but slave and function, as far as they are there."""
    for place, byte in enumerate(buffer):
        if byte == board and (place + 1 == len(buffer) or buffer[place + 1] in (function, function | NO)):
            return place
    return len(buffer)


def _refused(rest: bytes, junk: int, expect: Expect) -> Decoded:
    if len(rest) < NO_BYTES:
        return NeedMore(junk, junk)
    if crc(rest[:3]) != rest[3:NO_BYTES]:
        return Bad(junk + 1, junk + 1)
    return Reply(expect.kind, expect.board, 0, junk + NO_BYTES, junk, refused=True)


def _written(rest: bytes, junk: int, expect: Expect) -> Decoded:
    """The answer is the request, so that an echo looks like it."""
    if rest[:WRITE_BYTES] != expect.sent[: len(rest)]:
        return Bad(junk + 1, junk + 1)
    if len(rest) < WRITE_BYTES:
        return NeedMore(junk, junk)
    if expect.echo:
        return Echo(junk + WRITE_BYTES, junk)
    return Reply(expect.kind, expect.board, 0, junk + WRITE_BYTES, junk)


def _inputs(rest: bytes, junk: int, expect: Expect) -> Decoded:
    length = 3 + expect.status_bytes + 2
    if rest[2] != expect.status_bytes:
        return _own(rest, junk, expect)
    if len(rest) < length:
        return NeedMore(junk, junk)
    if crc(rest[: length - 2]) != rest[length - 2 : length]:
        return Bad(junk + 1, junk + 1)
    inputs = int.from_bytes(rest[3 : length - 2], "little" if expect.low_first else "big")
    return Reply(expect.kind, expect.board, inputs, junk + length, junk)


def _own(rest: bytes, junk: int, expect: Expect) -> Decoded:
    """An echo of our question; its third byte is 00, which is no number of bytes."""
    if rest[:WRITE_BYTES] != expect.sent[: len(rest)]:
        return Bad(junk + 1, junk + 1)
    return Echo(junk + WRITE_BYTES, junk) if len(rest) >= WRITE_BYTES else NeedMore(junk, junk)


class ModbusRelay:
    """The codec of one bus, by its profile. Raises ValueError where the module's functions do."""

    alike = False  # another function number

    def __init__(self, profile: Profile) -> None:
        self._tenths = profile.pulse_ms // 100
        self._low_first = profile.status_order == "low_first"
        self._usual_bytes = profile.status_bytes
        self._status_bytes = {board.address: profile.status_bytes_of(board) for board in profile.boards}

    def open_one(self, board: int, lock: int, echo: bool) -> Request:
        return self._request(Kind.OPEN, board, lock, pulse_frame(board, lock, self._tenths), echo)

    def ask_door(self, board: int, number: int) -> Request:
        """Boards tell all inputs or none."""
        return self._request(Kind.DOOR, board, _relay(number), self._ask(board), echo=True)

    def ask_board(self, board: int, echo: bool) -> Request:
        return self._request(Kind.BOARD, board, 0, self._ask(board), echo)

    def rest(self, board: int, echo: bool) -> Request | None:
        return self._request(Kind.REST, board, 0, rest_frame(board), echo)

    def decode(self, buffer: bytes | bytearray, expect: Expect | None) -> Decoded:
        return decode(buffer, expect)

    def _ask(self, board: int) -> bytes:
        return inputs_frame(board, 8 * self._bytes_of(board))

    def _bytes_of(self, board: int) -> int:
        return self._status_bytes.get(board, self._usual_bytes)

    def _request(self, kind: Kind, board: int, lock: int, frame: bytes, echo: bool) -> Request:
        twin = frame[1] == WRITE_COIL
        return Request(frame, Expect(kind, board, lock, frame, self._bytes_of(board), self._low_first, echo, twin))


def problems(profile: Profile) -> list[str]:
    """What the frames have no room for."""
    wrong = [] if profile.lock_base == 0 else ["`lock_base` is 1, but Modbus counts from 0. Leave it out"]
    if profile.pulse_ms % 100 or profile.pulse_ms // 100 not in TENTHS:
        wrong.append(f"`pulse_ms` is {profile.pulse_ms}, but relays are pulsed for tenths of a second. "
                     "Write 100, 200 or so on up to 2000")  # fmt: skip
    if any(profile.status_bytes_of(board) > 4 for board in profile.boards):
        wrong.append("`status_bytes` is more than the 32 inputs of the largest board need. Write 1 to 4")
    return wrong


DRIVER = Driver(
    codec=ModbusRelay, boards=BOARDS, locks=RELAYS, learned=("closed_value",), problems=problems,
    usual={
        "lock_base": 0, "status_bytes": 1, "status_order": "low_first", "pulse_ms": 500, "timeout_ms": 200,
        "open_timeout_ms": 300, "gap_ms": 5,
    },
)  # fmt: skip
