"""Keys of the hub: people's data, stations' secrets and links are sealed or made with subkeys of one master key.

The master key is 32 bytes in `master.key` beside the data (mode 0600) or in PARCELWALL_MASTER_KEY as 64 hex digits.
Sealing is AES-256-GCM with a fresh 96-bit nonce and the purpose as associated data.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import tempfile
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parcelwall.errors import Trouble
from parcelwall.ids import Ids

NONCE_BYTES = 12
LINK_BYTES = 18  # 144 bits
BLOCK_BYTES = 64  # of SHA-256


class Mac:
    """HMAC-SHA256 (RFC 2104) with one key, of which both halves are begun once: half the time of `hmac.digest`."""

    def __init__(self, key: bytes) -> None:
        assert len(key) <= BLOCK_BYTES, "a longer key would have to be hashed first"
        key = key.ljust(BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(each ^ 0x36 for each in key))
        self._outer = hashlib.sha256(bytes(each ^ 0x5C for each in key))

    def digest(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


class Keys:
    """Seals and opens; makes the tokens of links."""

    def __init__(self, master: bytes, ids: Ids) -> None:
        assert len(master) == 32, "a master key has 32 bytes"
        self._ids = ids
        self._seal = AESGCM(_derive(master, "seal"))
        self._links, self._contacts = Mac(_derive(master, "links")), Mac(_derive(master, "contacts"))
        self._requests = Mac(_derive(master, "requests"))
        self.link_seed = _derive(master, "link-identity")  # of the hub's Ed25519 key on the link

    def seal(self, plain: bytes, purpose: str) -> bytes:
        return seal_with(self._seal, plain, purpose, self._ids)

    def open(self, sealed: bytes, purpose: str) -> bytes:
        return open_with(self._seal, sealed, purpose)

    def link_token(self, page: str, parcel: UUID) -> str:
        """The secret part of a link: 24 characters of base64url, the same each time it is asked for."""
        mac = self._links.digest(f"{page}\0".encode() + parcel.bytes)
        return base64.urlsafe_b64encode(mac[:LINK_BYTES]).decode()

    def request_mark(self, request_hash: bytes) -> bytes:
        """What is kept of a request: it tells a repeat, and is nothing to try out without the master key."""
        return self._requests.digest(request_hash)

    def contact_index(self, kind: str, value: str) -> bytes:
        """16 bytes that stand for an address ("email") or a number ("sms") of a person and cannot be read back."""
        bare = value.strip().lower() if kind == "email" else _plain_number(value)
        return self._contacts.digest(f"{kind}\0{bare}".encode())[:16]


def _plain_number(phone: str) -> str:
    """`+358401234567`, `00358 40 123 4567` and `+358 (0)40 1234567` are one number."""
    bare = phone.removeprefix("+")
    digits = bare if bare.isdigit() else "".join(filter(str.isdigit, bare.replace("(0)", "")))
    return digits.removeprefix("00")


def seal_with(key: AESGCM, plain: bytes, purpose: str, ids: Ids) -> bytes:
    nonce = ids.secret(NONCE_BYTES)
    return nonce + key.encrypt(nonce, plain, purpose.encode())


def open_with(key: AESGCM, sealed: bytes, purpose: str) -> bytes:
    """What was sealed. Raises Trouble for another key or purpose, or a changed byte."""
    try:
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode())
    except InvalidTag as no:
        raise Trouble(f"cannot open {purpose}: the master key is not the one it was sealed with") from no


def link_hash(token: str) -> bytes:
    """What is stored of a link."""
    return hashlib.sha256(token.encode()).digest()


def key_hash(api_key: str) -> bytes:
    """What is stored of an API key: 256 random bits need no slow hash."""
    return hashlib.sha256(api_key.encode()).digest()


def _derive(master: bytes, use: str) -> bytes:
    return hmac.new(master, f"parcelwall/hub/{use}/1".encode() + b"\x01", hashlib.sha256).digest()


_MISSING = (
    "{} is missing, and this hub's journal was begun with one: put the one of its backup there, or give it as "
    "PARCELWALL_MASTER_KEY. With another no station believes this hub, and no link works"
)


def load(data_dir: Path, ids: Ids, new: bool = True) -> Keys:
    """The hub's keys; of a `new` hub the master key is made. Raises Trouble for one that is missing or damaged."""
    given = os.environ.get("PARCELWALL_MASTER_KEY")
    path = data_dir / "master.key"
    try:
        if given is None and not path.exists():
            if not new:
                raise Trouble(_MISSING.format(path))
            _write_once(path, ids.secret(32).hex())
        return Keys(bytes.fromhex((given or path.read_text()).strip()), ids)
    except OSError as no:
        raise Trouble(f"{path} cannot be read or made: {no.strerror}. Run this as the user of the hub") from no
    except (ValueError, AssertionError) as no:
        raise Trouble(f"the master key ({path} or PARCELWALL_MASTER_KEY) must be 64 hex digits") from no


def _write_once(path: Path, text: str) -> None:
    """Of processes that start together one makes it and the others take it: it is whole before it has its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, new = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # closed to others
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(new, path)
    finally:
        os.unlink(new)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
