"""What is decided upstairs of a station: its computer, its books, its layout, its screen. `facts.py` has all other
kinds."""

from uuid import UUID

from parcelwall.rules.fact import Fact, Moment
from parcelwall.rules.layout import Layout


class StationEnrolled(Fact, frozen=True, kw_only=True):
    """A computer proved who it is. `public_key` is the Ed25519 key in hex."""

    station: str
    public_key: str
    epoch: int = 0


class KeyRevoked(Fact, frozen=True, kw_only=True):
    """The station's computer is trusted no longer: its line is closed, and its secret opens nothing at the next one."""

    station: str
    why: str = ""
    actor: UUID | None = None


class EpochBegan(Fact, frozen=True, kw_only=True):
    """The hub was restored from a backup, and writes to this station in a new stream from here on.

    Of the stream `before` the backup held `number` entries; what came after is lost up here, unless it is given back.
    """

    station: str
    epoch: int
    before: str
    number: int


class StationConfigured(Fact, frozen=True, kw_only=True):
    """What the station is and where. `zone` is an IANA name."""

    station: str
    name: str
    address: str
    lat: float
    lon: float
    layout: Layout
    zone: str = "UTC"
    language: str = "en"


class ScreenNoted(Fact, frozen=True, kw_only=True):
    """What the operator has this station's screen say besides, until then: language -> the same sentence in it. The
    newest one counts; one without words takes it off. It names nobody."""

    station: str
    texts: dict[str, str] = {}  # noqa: RUF012 - a Struct copies it
    until: Moment | None = None
    actor: UUID | None = None
