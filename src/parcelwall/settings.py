"""What a process is told when it starts: addresses, folders, keys. Business knobs are not here but in rules/policy.

Every setting can be given in the environment as PARCELWALL_<NAME>; docs/settings.md lists them all. The prefix is for
settings alone: a name that is none is refused, as one that was mistyped.
"""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from parcelwall.errors import Trouble

_OTHER_FOLDER = "Name another with --data (a station: `data_dir`), or run this as the user whom it belongs to."
PREFIX = "PARCELWALL_"
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


def default_data_dir() -> Path:
    """`/var/lib/parcelwall` as root, `~/.local/share/parcelwall` for everybody else."""
    return Path("/var/lib/parcelwall") if os.geteuid() == 0 else Path.home() / ".local/share/parcelwall"


class HubSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a hub process. Times in seconds, addresses as `host` and `port`.

    Raises Trouble for a `public_url` that nobody could open: it is in each mail, and what stations must dial.
    """

    data_dir: Path
    database_url: str = ""  # empty: the embedded PostgreSQL in data_dir
    host: str = "127.0.0.1"
    port: Port = 8600
    public_url: str = "http://127.0.0.1:8600"  # what links in notices begin with
    link_names: str = ""  # more host:port names by which stations may dial this hub, comma separated
    slot: Annotated[int, msgspec.Meta(ge=1)] = 1  # of this hub process: it writes the stream hub:<epoch>/slot-<n>
    smtp_host: str = ""  # empty: no e-mail is sent
    smtp_port: Port = 25
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_tls: Literal["none", "starttls", "tls"] = "none"
    mail_from: str = "Parcelwall <parcels@parcelwall.invalid>"
    sms_url: str = ""  # an apprise URL with {phone}; empty: no text messages
    sms_home: str = ""  # country code of numbers written without one: "+358"; empty: those get no text message
    sms_allowed: str = ""  # beginnings of numbers that get text messages, comma separated; empty: notices' own list
    live_pages: Annotated[int, msgspec.Meta(ge=1)] = 2000  # that one process keeps open; others ask each minute
    live_pages_of_one: Annotated[int, msgspec.Meta(ge=1)] = 250  # of one network (/24, /48) among them
    map_tiles: Path | None = None  # a PMTiles file for the console's map; None: it draws its own streets

    def __post_init__(self) -> None:
        refuse_no_address("public_url", self.public_url)


class StationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a station's computer, read from a TOML file. docs/station.md shows one."""

    data_dir: Path
    hub_url: str = "http://127.0.0.1:8600"
    host: str = "127.0.0.1"
    port: Port = 8080  # the kiosk page, on loopback
    claim: str = ""  # one-time claim code for enrolment; not needed afterwards
    ups: str = ""  # NUT's name of the power supply: name@host:port; empty: not asked
    scanner: str = ""  # by-path name of the reader's serial port (USB CDC mode); empty: no reader


def refuse_no_address(name: str, url: str, where: str = "the settings") -> None:
    """Raises Trouble for what is no address of a hub: links and lines go to fixed paths of its host."""
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0 and not any(map(str.isspace, url))
    except ValueError:  # of a port that is no number, or brackets without an end
        has_host = False
    plain = has_host and parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
    if not plain or parts.scheme not in ("http", "https"):
        raise Trouble(f"{where}: `{name}` is {url!r}. Write http or https and the hub's host, with a port if it has "
                      "one of its own and without a path, as https://parcels.example.org.")  # fmt: skip


def open_folder(path: Path) -> None:
    """Makes the data folder if it is missing. Raises Trouble if it cannot be made or written to."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as no:
        raise Trouble(f"{path} cannot be the data folder: {no.strerror}. {_OTHER_FOLDER}") from no
    if not os.access(path, os.W_OK | os.X_OK, effective_ids=True):
        raise Trouble(f"{path} cannot be the data folder: it may not be written to. {_OTHER_FOLDER}")


def read(kind: type, given: Mapping[str, object], where: str = "the settings"):  # type: ignore[no-untyped-def]
    """A settings object of `kind` from `given`, then the environment, then the defaults.

    Raises Trouble that says where, which setting is missing, unknown or of the wrong type, and what to do about it.
    """
    names = {field.name for field in msgspec.structs.fields(kind)}
    refuse_unknown_variables(os.environ)
    environment = {n: os.environ[f"PARCELWALL_{n.upper()}"] for n in names if f"PARCELWALL_{n.upper()}" in os.environ}
    if unknown := sorted(set(given) - names):
        raise Trouble(f"{where}: `{unknown[0]}` is not known. {_instead(unknown[0], names)} "
                      "docs/settings.md lists all.")  # fmt: skip
    values: dict[str, object] = {"data_dir": str(default_data_dir()), **environment}
    values |= {name: value for name, value in given.items() if value is not None}
    try:
        return msgspec.convert(values, kind, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as no:
        what, _, name = str(no).removesuffix("`").partition(" - at `$.")
        there = f"PARCELWALL_{name.upper()} in the environment" if given.get(name) is None else where
        raise Trouble(f"{there}: `{name}` does not fit: {what[:1].lower()}{what[1:]}. docs/settings.md says what may "
                      "stand there.") from no  # fmt: skip


def refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """Raises Trouble for a PARCELWALL_... that sets nothing, neither at a hub nor at a station."""
    fields = (*msgspec.structs.fields(HubSettings), *msgspec.structs.fields(StationSettings))
    known = {"MASTER_KEY", *(field.name.upper() for field in fields)}  # the key is read by hub/keys.py
    ours = sorted(name for name in environment if name.upper().startswith(PREFIX))
    if unknown := [name for name in ours if name not in {f"{PREFIX}{each}" for each in known}]:
        instead = _instead(unknown[0].upper().removeprefix(PREFIX), known, PREFIX)
        raise Trouble(f"the environment: `{unknown[0]}` is not known. {instead} docs/settings.md lists all.")


def _instead(name: str, known: set[str], prefix: str = "") -> str:
    near = get_close_matches(name, sorted(known), 1)
    return f"Did you mean `{prefix}{near[0]}`?" if near else "Take it out."


def _decode(kind: type, value: object) -> object:
    return Path(str(value)).expanduser() if kind is Path else value
