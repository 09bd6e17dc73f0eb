"""What the tests of the rules build with: times, ids, a station of two columns, parcels, a fact of each kind."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from parcelwall.rules import facts
from parcelwall.rules.layout import Climate, Compartment, Layout, Panel, Size, plain_layout
from parcelwall.rules.life import INSIDE, Parcel, Stage
from parcelwall.rules.places import Plan
from parcelwall.rules.policy import Policy
from parcelwall.rules.tables import AdmissionRow, DwellCurve, Fit, VisitCalendar

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
LATER = NOW + timedelta(hours=48)
PARCEL, PERSON, RESERVATION, VISIT, COURIER, GRANT, CASE, OTHER, ACTOR = (
    UUID(int=(0x0198_F000_0000_7000_8000 << 48) + number) for number in range(1, 10)
)
LAYOUT = plain_layout("SSML SSML")
PLAN = Plan(LAYOUT)

FIT = Fit(model="visit quantiles", fitted_on=date(2026, 11, 22), since=date(2026, 1, 5), until=date(2026, 11, 21),
          count=380)  # fmt: skip
CALENDAR = VisitCalendar(
    station="S-0001", carrier="acme", zone="Europe/Helsinki", visit_share=(0.75, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0),
    first_h=((8.5, 9.0, 9.5),) * 6 + ((),), last_h=((9.0, 9.5, 10.25),) * 6 + ((),),
    lead_h={"on_the_way": ((15.5, 18.0, 42.5),) * 7}, days_off=(date(2026, 12, 25),), fit=FIT,
)  # fmt: skip
ROW = AdmissionRow(
    name="S-0001/L", rule="threshold", station="S-0001", sizes=("L",), carriers=("acme",), services=("economy",),
    spared=("express",), lead_h=(24.0, 96.0), keep={"L": 1}, first_day=date(2026, 11, 23), levels=(2.0, 3.0),
    expected=(4.0, 3.0), prices=(0.25, 1.5), worth={"express": 2.0}, good_until=LATER,
)  # fmt: skip
CURVE = DwellCurve(stratum="S-0001/sat/09", hours=(0.0, 24.0, 48.0), there=(1.0, 0.5, 0.25), fit=FIT)
SMALL = {"length_mm": 300, "width_mm": 200, "height_mm": 60, "weight_g": 900}


def reserved(**changed: Any) -> facts.Reserved:
    known = {
        "parcel": PARCEL, "reservation": RESERVATION, "station": "S-0001", "size": "S", "deposit_by": LATER,
        "hold_hours": 48, **SMALL,
    }  # fmt: skip
    return facts.Reserved(**{**known, **changed})


def deposited(**changed: Any) -> facts.Deposited:
    known = {
        "parcel": PARCEL, "reservation": RESERVATION, "station": "S-0001", "compartment": 1, "collect_by": LATER,
        "visit": VISIT,
    }  # fmt: skip
    return facts.Deposited(**{**known, **changed})


def collected(**changed: Any) -> facts.Collected:
    known = {
        "parcel": PARCEL, "reservation": RESERVATION, "station": "S-0001", "compartment": 1, "visit": VISIT,
    }  # fmt: skip
    return facts.Collected(**{**known, **changed})


def parcel(stage: Stage, **changed: Any) -> Parcel:
    """A parcel as it is after an ordinary life up to `stage`."""
    known: dict[str, Any] = {
        "id": PARCEL, "stage": stage, "carrier": "acme", "reference": "PW-7F3-2917", "announced_at": NOW, "due": LATER,
        "person": PERSON, **SMALL,
    }  # fmt: skip
    if stage == Stage.RESERVED or stage in INSIDE:
        known |= {"station": "S-0001", "reservation": RESERVATION, "size": "S", "deposit_by": LATER, "hold_hours": 48}
    if stage in INSIDE:
        known |= {"compartment": 1, "deposited_at": NOW, "collect_by": LATER}
    if stage in (Stage.COLLECTED, Stage.TAKEN_BACK, Stage.WRITTEN_OFF):
        known |= {"station": "S-0001", "reservation": RESERVATION}
    if stage not in (Stage.ANNOUNCED, Stage.RESERVED, *INSIDE):
        known |= {"due": None, "ended_at": NOW}
    return Parcel(**{**known, **changed})


def layout(kinds: list[tuple[str, Climate, bool, tuple[int, int, int], int]], counts: list[int]) -> Layout:
    """Compartments of these kinds (name, climate, in reach, inner sides, limit in grams), `counts` of each."""
    sizes = {name: Size(name, *sides, limit, climate) for name, climate, _, sides, limit in kinds}
    compartments: list[Compartment] = []
    for (name, _, reach, _, _), count in zip(kinds, counts, strict=True):
        for _ in range(count):
            y = 700 if reach else 1500
            compartments.append(Compartment(len(compartments) + 1, name, 0, y, 400, 100))
    return Layout(tuple(sizes.values()), tuple(compartments))


FULL: tuple[facts.Fact, ...] = (
    facts.Announced(
        parcel=PARCEL, carrier="acme", reference="PW-7F3-2917", climate="chilled", proof="token", direction="return",
        reach=True, person=PERSON, label="00340434161094042557", expected_at=LATER, value="49.90", currency="EUR",
        **SMALL,
    ),
    reserved(climate="chilled", proof="token", direction="return", reach=True, label_tag="0f" * 16, selector="2917",
             generation=1, policy=3, expected_at=LATER),
    facts.Withdrawn(parcel=PARCEL, reservation=RESERVATION, station="S-0001"),
    facts.Lapsed(parcel=PARCEL, reservation=RESERVATION),
    facts.Cancelled(parcel=PARCEL, reservation=RESERVATION, why="sold twice", by="operator"),
    facts.Diverted(parcel=PARCEL, reservation=RESERVATION, reason="parcel_too_large", by="operator"),
    facts.Extended(parcel=PARCEL, collect_by=LATER, by="operator"),
    facts.Expired(parcel=PARCEL),
    facts.WrittenOff(parcel=PARCEL, reservation=RESERVATION, station="S-0001", compartment=1, why="destroyed: it burnt",
                     actor=ACTOR),
    facts.CarrierReported(parcel=PARCEL, mark="delayed", reason="weather_delay", place="Vantaa", expected_at=LATER),
    facts.CodeRenewed(parcel=PARCEL, reservation=RESERVATION, generation=1),
    facts.Blocked(parcel=PARCEL, why="a recall", by="carrier"), facts.Unblocked(parcel=PARCEL, by="hub"),
    deposited(courier=COURIER, by="operator", policy=3),
    collected(generation=1, by="delegate"),
    facts.TakenBack(parcel=PARCEL, reservation=RESERVATION, station="S-0001", compartment=1, visit=VISIT,
                    courier=COURIER, by="operator"),
    facts.Granted(grant=GRANT, station="S-0001", may=("deposit", "take_back"), courier=COURIER, parcel=PARCEL,
                  until=LATER),
    facts.Revoked(grant=GRANT, station="S-0001"),
    facts.PolicyAdopted(policy=Policy(
        version=2, hold_hours=72, deposit_window_hours=48, ahead_days=30, overbook=1, extend_hours=12, extensions=1,
        remind_hours_before=12, quiet_from_hour=22, quiet_until_hour=7, lapse_silence_hours=48, alternatives=2,
        near_km=3.5, reopen_s=120, bare_code_parcels=80, courier_idle_s=90,
    )),
    facts.TableAdopted(table=CALENDAR, plan="ab" * 32),
    facts.StationEnrolled(station="S-0001", public_key="ab" * 32, epoch=1),
    facts.KeyRevoked(station="S-0001", why="stolen"),
    facts.EpochBegan(station="S-0001", epoch=1_795_334_400, before="hub:1/S-0001", number=4041),
    facts.StationConfigured(
        station="S-0001", name="Kluuvi", address="Aleksanterinkatu 9", lat=60.1692, lon=24.944,
        layout=Layout((Size("S", 380, 80, 640, 20_000, "chilled"),), (Compartment(1, "S", 0, 200, 400, 80),),
                      Panel(100, 1000, 200, 130, "left")),
        zone="Europe/Helsinki", language="fi",
    ),
    facts.DoorOpened(compartment=1, visit=VISIT, recovered=True),
    facts.DoorClosed(compartment=1, visit=VISIT, recovered=True),
    facts.DoorFailed(compartment=1, why="stuck", visit=VISIT),
    facts.OrderAnswered(order=GRANT, outcome="refused", compartment=1, by="operator", why="order_late"),
    facts.CompartmentHealth(compartment=1, usable=False, why="hinge"),
    facts.WrongCode(count=3, paused=True),
    facts.Measured(probe="28-00000a", unit="degC", low=2.25, mean=4.5, high=7.75, since=NOW),
    facts.Power(status="battery", charge_ratio=0.5),
    facts.ClockSet(boot="b1", mono_ms=1_000, utc=NOW),
    facts.StoodStill(since=NOW, until=NOW + timedelta(hours=5)),
    facts.JournalRestored(before="S-0001", number=8790),
    facts.CaseOpened(case=CASE, about="door_failed", parcel=PARCEL, station="S-0001", compartment=1, holds=True,
                     details={"pulses": 3}),
    facts.CaseClosed(case=CASE, station="S-0001", outcome="looked, empty"),
    facts.CaseNoted(case=CASE, what="sent", station="S-0001", parcel=PARCEL, note="a technician, by 16:00",
                    actor=ACTOR),
    facts.Looked(at="person", actor=ACTOR, parcel=PARCEL, reason="stuck: the recipient called"),
    facts.StaffChanged(what="changed", person=GRANT, role="operator", area=("S-0001",), actor=ACTOR),
    facts.Forgotten(parcel=PARCEL, actor=ACTOR),
    facts.SiteNoted(station="S-0001", host="Hosting Ltd", authority="City of Helsinki", permit="HEL 2024-011873",
                    valid_until=date(2027, 12, 31), access="fuse behind the left panel", actor=ACTOR),
    facts.RoundOrdered(courier=COURIER, day=date(2026, 11, 23), stations=("S-0002", "S-0001"), actor=ACTOR),
    facts.StopPassed(courier=COURIER, station="S-0002", day=date(2026, 11, 23), why="unreachable"),
    facts.AdmissionAdopted(row=ROW, plan="ab" * 32, by_row="night", actor=ACTOR),
    facts.ScreenNoted(station="S-0001", texts={"en": "Door 12 is being mended.", "de": "Fach 12 wird repariert."},
                      until=LATER, actor=ACTOR),
)  # fmt: skip
LEAST: tuple[facts.Fact, ...] = (
    facts.Announced(parcel=PARCEL, carrier="acme", reference="PW-7F3-2917", **SMALL), reserved(),
    facts.Cancelled(parcel=PARCEL), facts.Diverted(parcel=PARCEL, reason="station_full"),
    facts.Extended(parcel=PARCEL, collect_by=LATER), facts.CarrierReported(parcel=PARCEL, mark="departed"), deposited(),
    facts.WrittenOff(parcel=PARCEL, reservation=RESERVATION, station="S-0001", compartment=1, why="stolen"),
    collected(), facts.TakenBack(parcel=PARCEL, reservation=RESERVATION, station="S-0001", compartment=1, visit=VISIT),
    facts.Granted(grant=GRANT, station="S-0001", may=()), facts.PolicyAdopted(policy=Policy()),
    facts.TableAdopted(table=CURVE),
    facts.StationEnrolled(station="S-0001", public_key="ab" * 32), facts.KeyRevoked(station="S-0001"),
    facts.StationConfigured(station="S-0001", name="Kluuvi", address="", lat=60.0, lon=24.0, layout=Layout((), ())),
    facts.DoorOpened(compartment=1), facts.DoorClosed(compartment=1), facts.DoorFailed(compartment=1, why="dead"),
    facts.OrderAnswered(order=GRANT, outcome="opened", compartment=1),
    facts.CompartmentHealth(compartment=1, usable=True), facts.WrongCode(count=1), facts.Power(status="unknown"),
    facts.Blocked(parcel=PARCEL), facts.Unblocked(parcel=PARCEL),
    facts.CaseOpened(case=CASE, about="opened_unasked"), facts.CaseClosed(case=CASE),
    facts.StaffChanged(what="admitted", person=GRANT), facts.Forgotten(parcel=PARCEL),
    facts.CaseNoted(case=CASE, what="told"), facts.Looked(at="search", actor=ACTOR), facts.SiteNoted(station="S-0001"),
    facts.RoundOrdered(courier=COURIER, day=date(2026, 11, 23)),
    facts.AdmissionAdopted(row=AdmissionRow(name="all", rule="always")), facts.ScreenNoted(station="S-0001"),
)  # fmt: skip
