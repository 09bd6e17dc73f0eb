"""A pretend authenticator: makes passkeys and signs with them as a phone does, byte for byte (W3C Web Authentication).

Tests bend it: another origin, nobody verified, a copied device whose count falls behind.
"""

import hashlib
import json
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url as b64

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """One device with one passkey. `verifies`: whether it checks who holds it."""

    def __init__(self, origin: str, verifies: bool = True) -> None:
        self.origin, self.verifies = origin, verifies
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.id = hashlib.sha256(self._key.public_key().public_numbers().x.to_bytes(32, "big")).digest()[:16]
        self.count = 0

    def make(self, options: str) -> str:
        """What `navigator.credentials.create` answers."""
        asked = json.loads(options)
        about = self._about(asked["rp"]["id"], ATTESTED) + bytes(16) + len(self.id).to_bytes(2, "big") + self.id
        numbers = self._key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        about += cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": about})
        data = self._client_data("webauthn.create", asked["challenge"])
        return self._answer({"attestationObject": b64(made), "clientDataJSON": b64(data)})

    def show(self, options: str) -> str:
        """What `navigator.credentials.get` answers."""
        asked = json.loads(options)
        about, data = self._about(asked["rpId"]), self._client_data("webauthn.get", asked["challenge"])
        signature = self._key.sign(about + hashlib.sha256(data).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {"authenticatorData": b64(about), "clientDataJSON": b64(data), "signature": b64(signature)}
        )

    def _about(self, party: str, more: int = 0) -> bytes:
        self.count += 1
        flags = PRESENT | more | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(party.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, response: dict[str, Any]) -> str:
        return json.dumps({"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "response": response})
