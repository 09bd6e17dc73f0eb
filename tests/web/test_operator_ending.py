"""What operators end over the API: what is announced or promised, and what lies where nobody will hand it out."""

import msgspec

from parcelwall.clock import VirtualClock
from parcelwall.hub.verify import verify_hub
from parcelwall.rules.life import Parcel
from parcelwall.web.overrides import WrittenOffShown
from station.towns import Pen
from web.test_operator import Office, office

__all__ = ["office"]  # the fixture

async def test_an_operator_cancels_what_is_a_carriers_and_says_why(office: Office) -> None:
    parcel = await office.parcel()
    silent = await office.ask("POST", f"/parcels/{parcel}/cancel", {})
    assert (silent.status_code, silent.json()["reason"]) == (422, "reason_missing")
    done = await office.ask("POST", f"/parcels/{parcel}/cancel", {"why": "its carrier is bankrupt"})
    assert (done.status_code, done.json()["stage"]) == (200, "CANCELLED")
    body = await office.hub.pool.fetchval("SELECT body FROM entry WHERE kind = 'Cancelled'")
    actor = await office.hub.pool.fetchval("SELECT actor FROM carrier WHERE id = 'op'")
    assert str(actor) in body and "bankrupt" in body
    unknown = await office.ask("POST", "/parcels/0198f000-0000-7000-8000-000000000001/cancel", {"why": "gone"})
    assert unknown.status_code == 404


async def test_what_is_written_off_over_the_api_and_by_whom(office: Office) -> None:
    """Not by a carrier, a technician, or somebody of another station; twice with one key it is once."""
    parcel = await office.parcel()
    path, why = f"/parcels/{parcel}/write-off", {"why": "destroyed: it burnt down"}
    timo = await office.hub.admit("timo", "Timo", "technician", ("S-0001",))
    noor = await office.hub.admit("noor", "Noor", "operator", ("S-0404",))
    for key in (office.carrier, timo, noor):
        answer = await office.ask("POST", path, why, key)
        assert (answer.status_code, answer.json()["reason"]) == (403, "no_right")
    for key in (timo, noor):
        assert (await office.ask("POST", f"/parcels/{parcel}/cancel", why, key)).status_code == 403
    early = await office.ask("POST", path, why)
    assert (early.status_code, early.json()["reason"]) == (409, "wrong_stage")
    known = msgspec.json.decode(await office.hub.pool.fetchval("SELECT record FROM parcel"), type=Parcel)
    pen = Pen("S-0001", VirtualClock(office.hub.clock.now()))
    await office.hub.receive("S-0001", pen.write(pen.deposited(known, 1)))
    office.count = 900
    first = await office.ask("POST", path, why)
    office.count = 900
    again = await office.ask("POST", path, why)
    assert first.status_code == 200 and first.json() == again.json()
    shown = msgspec.convert(first.json(), WrittenOffShown)
    assert set(first.json()) <= set(shown.__struct_fields__), "as documented, and no more"
    assert (first.json()["stage"], first.json()["reason"]) == ("WRITTEN_OFF", "destroyed: it burnt down")
    [case] = (await office.ask("GET", "/cases")).json()["cases"]
    assert (case["about"], case["id"], case["holds"]) == ("written_off", first.json()["case"], True)
    tracked = await office.client.get("/api/v1/track/PW-1")
    assert (tracked.json()["sentence"], tracked.json()["step"]) == ("lost", -1)
    assert await verify_hub(office.hub.pool) == []
