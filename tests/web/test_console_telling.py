"""What facts tell is told in words: every key that the code writes has some, in the field in which it writes it."""

from typing import get_args

import pytest

from parcelwall.errors import REASONS
from parcelwall.notices.language import languages, words
from parcelwall.rules import facts
from parcelwall.rules.sentence import MARKS
from parcelwall.station.doormap import NOT_WALKED, NOT_WIRED, OTHERWISE
from parcelwall.station.servicing import WHYS
from parcelwall.web.console import said, telling

KEYS = {
    ("CarrierReported", "mark"): MARKS, ("Deposited", "by"): set(get_args(facts.By)) - {"unknown"},
    ("DoorFailed", "why"): {"stuck", "unclear", "late", "dead"}, ("DoorOpened", "why"): set(WHYS),
    ("CompartmentHealth", "why"): {NOT_WALKED, NOT_WIRED, OTHERWISE},
    ("OrderAnswered", "outcome"): {"opened", "failed", "refused"},
    ("CaseClosed", "outcome"): {"cancelled", "written_off"},
    ("Power", "status"): {"mains", "battery", "low", "unknown"}, ("CaseOpened", "about"): set(said.ABOUT),
    ("Granted", "reason"): set(said.REASONS), ("Looked", "reason"): {*said.REASONS, "phone"},
    ("Cancelled", "why"): set(said.CALLED_OFF), ("WrittenOff", "why"): set(said.WRITTEN_OFF),
    ("OrderAnswered", "why"): {"cannot_record", "station_out_of_service", "door_busy", "door_rests", "order_late"},
    ("Diverted", "reason"): {"parcel_too_large", "station_full", "no_fitting_compartment", "climate_not_here"},
}  # fmt: skip
ENGLISH, GERMAN = words("en"), words("de")


@pytest.mark.parametrize(("kind", "field"), KEYS)
def test_every_key_has_words(kind: str, field: str) -> None:
    for key in KEYS[kind, field]:
        told = telling.detail(kind, {field: key}, ENGLISH)
        assert told and "_" not in told, key
        assert telling.detail(kind, {field: key}, GERMAN) != told, "and in another language others"


def test_what_people_wrote_stands_as_they_wrote_it() -> None:
    assert telling.detail("CaseClosed", {"outcome": "hinge: mended"}, ENGLISH) == "hinge: mended"
    assert telling.detail("Granted", {"reason": "look: smoke seen"}, ENGLISH) == "somebody must look inside: smoke seen"
    stuck = {"why": "stuck", "by": "operator"}
    assert telling.detail("DoorFailed", stuck, ENGLISH) == "did not open, by the operator", "not a reason to open one"


def test_every_outcome_of_an_order_has_words() -> None:
    for outcome in (*telling.OUTCOME, "cannot_record", "station_out_of_service", "held_back"):
        assert telling.outcome(outcome, ENGLISH) and "_" not in telling.outcome(outcome, ENGLISH), outcome
    bare = {reason for reason in REASONS if telling.refused(reason, ENGLISH) == reason}
    assert bare <= {"stale_screen", "order_unknown", "order_repeated"}, "these are not shown to people at all"


def test_every_kind_of_fact_has_words_and_a_grant_is_what_it_is() -> None:
    assert set(facts.KINDS) == set(said.KIND)
    for language in set(languages()) - {"en"}:
        for kind in facts.KINDS:
            assert telling.kind(kind, {"at": "search", "what": "sent"}, words(language)) != kind, (language, kind)
    told = [telling.kind("Granted", {name: "x"}, ENGLISH) for name in ("compartment", "courier", "tag", "parcel")]
    assert told == ["A door was opened from afar", "A courier was admitted", "One more code was drawn",
                    "Somebody else may collect it"]  # fmt: skip
