"""Three kinds of no.

* `Refusal`: an expected no. A desk says it; it carries a machine `reason` from `REASONS`, a sentence for a person
  that says what to do, and details. Nothing was recorded.
* `Trouble`: the world failed (a port is gone, a server is down). Trying again later may help.
* `assert`: we are wrong.
"""

import traceback
from collections.abc import Iterator
from typing import Any


class ParcelwallError(Exception):
    """Whatever Parcelwall raises on purpose."""


class Trouble(ParcelwallError):
    """The world failed. `str()` says what and what to do about it."""


class Refusal(ParcelwallError):
    """An expected no. `reason` is a key of REASONS; `details` are facts for machines, never personal data."""

    def __init__(self, reason: str, sentence: str | None = None, **details: Any) -> None:
        assert reason in REASONS, f"unknown refusal reason {reason!r}: add it to REASONS"
        self.reason = reason
        self.details = details
        self.sentence = sentence or REASONS[reason]
        super().__init__(f"{reason}: {self.sentence}")


def places_of(failed: BaseException) -> Iterator[str]:
    """Where a failure came from, innermost last, and its kind: for logs. Never its words, which may be of people."""
    before = failed.__cause__ or (None if failed.__suppress_context__ else failed.__context__)
    if before is not None:
        yield from places_of(before)
    for frame in traceback.extract_tb(failed.__traceback__):
        yield f"{frame.filename}:{frame.lineno} {frame.name}"
    yield type(failed).__name__
    for each in failed.exceptions if isinstance(failed, BaseExceptionGroup) else ():
        yield from places_of(each)


def leaves(failed: BaseException) -> Iterator[BaseException]:
    """The failure itself, or those of which a group is made."""
    if not isinstance(failed, BaseExceptionGroup):
        yield failed
        return
    for each in failed.exceptions:
        yield from leaves(each)


# reason -> what a developer or operator reads. What people at a screen read stands in notices/, keyed by the same
# names. docs/refusals.md lists them with their HTTP codes; a test keeps the three in step.
REASONS: dict[str, str] = {
    # the request itself
    "not_json": "The body is not valid JSON. Send one JSON object, encoded as UTF-8.",
    "bad_field": "A field is missing, unknown or out of range. See `field` and `problem`.",
    "too_large_a_body": "The body is larger than this endpoint takes. Send at most 1,000 parcels in one batch.",
    "not_found": "There is nothing here under this id or address.",
    "method_not_allowed": "This address does not take that method. See /docs.",
    "sign_in": "Send your API key as `Authorization: Bearer KEY`.",
    "no_right": "Your key does not allow this.",
    "idempotency_key_missing": "Send an `Idempotency-Key` header of 1 to 255 characters, new for each intention.",
    "idempotency_key_reused": "This Idempotency-Key was used with another request. Make a new key.",
    "too_many_tries": "Too many tries from here. Wait as long as `retry_s` says.",
    # announcing and promising
    "reference_taken": "This reference is announced already with other data. Use a new one, or send the same body.",
    "station_unknown": "There is no station of that id. GET /api/v1/stations lists them.",
    "no_station_near": "There is no station near enough. Name one with `station_id`.",
    "station_out_of_service": "This station takes no parcels now. Choose one of `alternatives`.",
    "station_full": "No compartment is free at this station. Choose one of `alternatives`, or try later.",
    "no_fitting_compartment": "No compartment of that size is free there. Choose one of `alternatives`, or try later.",
    "no_reachable_compartment": "No compartment within reach is free there. Choose one of `alternatives`.",
    "label_twice": "Another parcel with this label is promised room there, or lies there. Label this one otherwise.",
    "held_for_others": "Room at this station is kept for other parcels. Choose one of `alternatives`, or another day.",
    "climate_not_here": "This station has no such cooled compartment. Choose one of `alternatives`.",
    "parcel_too_large": "The parcel fits no compartment of this station, however it is turned.",
    "parcel_too_heavy": "The parcel is heavier than these compartments may carry.",
    "sides_unknown": "Announce length_mm, width_mm, height_mm and weight_g first: room is promised by size.",
    "proof_not_possible_here": "This station cannot check that proof.",
    "proof_too_weak": "What is worth so much goes to a verified person only here. Announce `proof` as \"verified\".",
    "too_far_ahead": "The parcel is expected later than room can be promised for. Reserve nearer to the day.",
    # the life
    "wrong_stage": "The parcel is not in a stage in which this can be done. See `stage`.",
    "already_deposited": "The parcel lies in its compartment already.",
    "too_late_to_extend": "It cannot stay longer. See `collect_by`.",
    "too_many_extensions": "It has been kept as often as the policy allows.",
    "held_back": "Nobody may collect this parcel until it is unblocked.",
    "too_many_staff": "This station knows as many couriers and technicians as its codes allow. Revoke some first.",
    # at the station
    "wrong_code": "That code opens no door here.",
    "too_many_codes": "As many codes were drawn today as may be. Open the door, or wait until tomorrow.",
    "codes_paused": "Codes alone are paused. Add the last 4 of the parcel number, or show the QR.",
    "selector_needed": "Several codes are alike here. Add the last 4 of the parcel number.",
    "not_for_this_station": "No parcel with this label is expected at this station. Take it along.",
    "door_busy": "A door is still open. Push it shut first.",
    "door_failed": "The door does not open.",
    "cannot_record": "The station can write nothing down, so it opens no door. Make room on its disk.",
    "stale_screen": "The screen has changed since.",
    "deposit_too_late": "The time to bring this parcel has passed. Ask the hub for a new reservation.",
    # opening from afar
    "station_offline": "This station has no line now, and an order is never kept for later. Use the code or the QR.",
    "not_present": "That is not the number on the station's screen. It changes every half minute; read it again.",
    "door_rests": "The lock of this door was used often and rests for a moment. Ask again in a minute.",
    "order_late": "The order came too late, so nothing was opened. Ask again.",
    "order_repeated": "This order was heard before. Each opens at most once; ask anew.",
    "order_unknown": "The order is not for this station as it runs now.",
    # who somebody is
    "passkey_wrong": "That passkey does not fit here, or its time is over. Begin anew.",
    "proof_missing": "This parcel is handed out to a verified person only. Show a passkey on its page.",
    # the operator's people
    "asked_already": "You asked for this already, and it is not through yet. It stands under Keep longer.",
    "too_new_to_agree": "Whoever was admitted or changed within a day agrees to nothing yet. Ask somebody else.",
    "second_person_needed": "A second person must agree, at the console. Nobody agrees to what they asked for.",
    "reason_missing": "Say why in 1 to 200 characters. It goes into the journal.",
    "prove_again": "Prove once more that it is you before a door opens.",
    # the link and enrolment
    "bundle_unknown": "No station of ours has signed this bundle, or entries are missing. Scan its screen again.",
    "invite_unknown": "This code is unknown, used or older than three days. Ask the operator for a new one.",
    "claim_unknown": "This claim code is unknown, used or older than 24 hours. Make a new one at the hub.",
    "station_taken": "This station is enrolled already. Make a new claim code to replace its computer.",
}
