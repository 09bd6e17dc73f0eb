"""Somebody else collects: a grant in the journal, and a QR of its own that can be taken back alone.

The QR needs no word from the hub at the station: it is signed. That it was taken back the station must have heard.
"""

from datetime import timedelta
from uuid import UUID

from parcelwall.errors import Refusal
from parcelwall.hub.commands import Answer, Command, own
from parcelwall.hub.house import Hub
from parcelwall.hub.keys import Keys
from parcelwall.hub.sitting import Sitting
from parcelwall.hub.stations import WRITTEN_FOR, Stations
from parcelwall.ids import Ids
from parcelwall.rules import decide, facts
from parcelwall.rules.life import INSIDE, Parcel

LASTS = timedelta(days=7)

_OF_GRANTS = f"""
SELECT kind, body FROM entry WHERE writer = ANY(ARRAY({WRITTEN_FOR}))
  AND kind IN ('Granted', 'Revoked') AND body LIKE $2"""  # noqa: S608 - a text of our own


class Delegate(Command, kw_only=True):
    """Whoever shows the QR of this grant may collect the parcel, for a week at most."""

    parcel: UUID
    grant: UUID | None = None

    def prepare(self, ids: Ids, keys: Keys) -> None:
        self.grant = ids.new()

    def wants(self, stations: Stations, near_km: float) -> tuple[list[UUID], list[str]]:
        return [self.parcel], []

    def decide(self, at: Sitting) -> Answer:
        parcel = own(at, self.parcel, None)
        if parcel.stage not in INSIDE or parcel.proof == "verified":
            raise Refusal("wrong_stage", stage=parcel.stage)
        decide.refuse_blocked(parcel)
        assert self.grant and decide.collect(parcel, "token").station, "what is inside is inside a station"
        until = at.now + LASTS
        at.record(facts.Granted(grant=self.grant, station=parcel.station or "", may=("collect",), parcel=parcel.id,
                                until=until, by="recipient"))  # fmt: skip
        return Answer(201, {"grant": str(self.grant), "until": until})


async def granted(hub: Hub, parcel: Parcel, grant: UUID) -> facts.Granted | None:
    """The grant, if it is one to collect this parcel and has neither ended nor been taken back."""
    rows = await hub.pool.fetch(_OF_GRANTS, [parcel.station or ""], f'%"grant":"{grant}"%')
    told = [facts.read(row["kind"], row["body"]) for row in rows]
    found = next((each for each in told if isinstance(each, facts.Granted)), None)
    if found is None or found.parcel != parcel.id or "collect" not in found.may or found.compartment is not None:
        return None
    over = any(isinstance(each, facts.Revoked) for each in told) or (found.until or hub.clock.now()) <= hub.clock.now()
    return None if over else found


async def take_back(hub: Hub, parcel: Parcel, grant: UUID) -> None:
    """Its QR opens nothing from when the station has heard of this. Refuses a grant that is none of this parcel's."""
    if await granted(hub, parcel, grant) is None:
        raise Refusal("not_found")
    await hub.revoke(parcel.station or "", grant)
