"""A courier says who they are by phone: the screen shows a number that is good for a minute and once, the phone signs
it, and the station verifies that alone (`rules.delegation`).
"""

from uuid import UUID

from parcelwall.clock import Clock
from parcelwall.errors import Refusal
from parcelwall.ids import Ids
from parcelwall.link.identity import signed_by
from parcelwall.rules import delegation, token
from parcelwall.rules.delegation import Shown
from parcelwall.station.desk import StationDesk

FRESH_S = 60.0


class Challenge:
    """The number on the screen, and who has answered it."""

    def __init__(self, desk: StationDesk, ids: Ids, clock: Clock) -> None:
        self._desk, self._ids, self._clock = desk, ids, clock
        self._nonce, self._before, self._since_s = b"", b"", float("-inf")

    def shown(self) -> str:
        """The text of the QR on the screen. The one before is good for as long again: a phone takes some seconds."""
        age_s = self._clock.mono() - self._since_s
        if age_s >= FRESH_S / 2 or not self._nonce:
            self._before = self._nonce if age_s < FRESH_S else b""
            self._nonce, self._since_s = self._ids.secret(delegation.NONCE_BYTES), self._clock.mono()
        return delegation.challenge(self._desk.memory.station, self._nonce)

    def admit(self, text: str) -> UUID:
        """The courier who has answered. Every answer that does not hold is refused alike, and none counts as a try: a
        signature is not guessed."""
        shown = delegation.read(text)
        if shown is None or not self._holds(shown) or not self._is_fresh(shown):
            raise Refusal("wrong_code")
        self._nonce, self._before = b"", b""
        self._desk.delegate(shown)
        return shown.courier

    def _holds(self, shown: Shown) -> bool:
        """The hub's word for this station and now, and not taken back as far as is known here."""
        memory = self._desk.memory
        key = bytes.fromhex(memory.identity("hub_key") or "")
        return (
            signed_by(key, shown.signature.hex(), token.to_sign(shown.payload))
            and shown.station_number == token.station_number(memory.station)
            and delegation.in_time(shown, self._desk.now())
            and shown.grant not in memory.revoked
        )

    def _is_fresh(self, shown: Shown) -> bool:
        station, age_s = self._desk.memory.station, self._clock.mono() - self._since_s
        nonces = (self._nonce, self._before) if age_s < FRESH_S else ()
        return any(
            signed_by(shown.phone_key, shown.answer.hex(), delegation.to_answer(station, nonce, shown.delegation))
            for nonce in nonces
            if nonce
        )
