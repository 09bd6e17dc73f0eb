"""What people read when a desk says no, keyed by `errors.REASONS` (faces.md 2.7).

Each reason has sayings for the kiosk and for a phone or the console. The best informed stands first: it is taken when
all its places are known. Codes and QR that open nothing have one answer, whatever the truth is, because another
answer would tell a guesser that he hit something real.
"""

from typing import Literal

from parcelwall.notices.language import N_, Plural
from parcelwall.notices.saying import Saying

Face = Literal["kiosk", "phone"]
Sayings = tuple[Saying, ...]

NO_WORDS = (Saying(""),)  # the screen is drawn anew instead
ONCE_MORE = (Saying(N_("That did not go through"), N_("Go back and try once more.")),)
CHECK = (Saying(N_("Something is missing or mistyped"), N_("Check what you typed.")),)
NEWER_CODE = (Saying(N_("This claim code sets up nothing"), N_("Make a new one at the hub.")),)

_WITH_ROOM = N_("{station}, {distance}, has room.")
_ELSEWHERE = N_("Try another station, or come back later.")
_TAKE_ALONG = N_("Take it along.")
_ANOTHER = N_("Choose another station.")


def _alternative(heading: str, there: str = _WITH_ROOM, otherwise: str = _ELSEWHERE) -> Sayings:
    return Saying(heading, there), Saying(heading, otherwise)


_FULL = _alternative(N_("No room here now"))
_MISFIT = _alternative(N_("No room that size now"))
_HELD = _alternative(N_("The room here is kept for others that day"))
_NO_REACH = _alternative(N_("No door within reach is free"), N_("{station}, {distance}, has one."))
_NO_COLD = _alternative(N_("No cold door here"), N_("{station}, {distance}, has one."), _ANOTHER)
_CLOSED = _alternative(N_("This station is closed"), N_("Nearest: {station}, {distance}."), _ANOTHER)

_WRONG_CODE = (
    Saying(
        N_("That code opens no door here"),
        Plural(
            "Check the newest message, or show the QR. {n} try left before a short pause.",
            "Check the newest message, or show the QR. {n} tries left before a short pause.",
        ),
    ),
    Saying(N_("That code opens no door here"), N_("Check the newest message, or show the QR.")),
)
_LAST_FOUR = N_("Add the last 4 of the parcel number, or show the QR.")
_PAUSED = (
    Saying(N_("Codes alone are paused for {time}"), _LAST_FOUR),
    Saying(N_("Codes alone are paused"), _LAST_FOUR),
)
_DOOR_FAILED = (
    Saying(
        N_("Door {door} does not open"),
        N_("Your time is paused. You hear from us by {time}. Case {case}."),
    ),
    Saying(N_("Door {door} does not open"), N_("Your time is paused. We look after it.")),
    Saying(N_("The door does not open"), N_("Your time is paused. We look after it.")),
)
_DOOR_BUSY = (
    Saying(N_("Door {door} is still open"), N_("Push it shut first.")),
    Saying(N_("A door is still open"), N_("Push it shut first.")),
)
_TOO_LATE = (
    Saying(N_("It cannot stay longer"), N_("Collect it by {time}.")),
    Saying(N_("It cannot stay longer"), N_("Collect it soon.")),
)
_KEPT_OFTEN = (
    Saying(N_("It cannot stay longer"), N_("It has been kept as often as it may be. Collect it by {time}.")),
    Saying(N_("It cannot stay longer"), N_("It has been kept as often as it may be. Collect it soon.")),
)
_ALREADY_IN = (
    Saying(N_("This one is already in"), N_("Door {door}, {time}.")),
    Saying(N_("This one is already in")),
)
_TOO_MANY = (
    Saying(N_("Too many tries from here"), N_("Pause: {time}.")),
    Saying(N_("Too many tries from here"), N_("Come back later.")),
)

_NOT_OPENED = (Saying(N_("The door stayed shut"), N_("The station did not hear you in time. Try once more.")),)

_BOTH: dict[str, Sayings] = {
    "not_json": ONCE_MORE,
    "bad_field": CHECK,
    "too_large_a_body": ONCE_MORE,
    "method_not_allowed": ONCE_MORE,
    "idempotency_key_missing": ONCE_MORE,
    "idempotency_key_reused": ONCE_MORE,
    "too_many_tries": _TOO_MANY,
    "reference_taken": (Saying(N_("This number is announced already"), N_("Check it, or take a new one.")),),
    "station_unknown": (Saying(N_("We do not know this station"), _ANOTHER),),
    "no_station_near": (Saying(N_("No station is near enough"), _ANOTHER),),
    "station_out_of_service": _CLOSED,
    "station_full": _FULL,
    "no_fitting_compartment": _MISFIT,
    "no_reachable_compartment": _NO_REACH,
    "held_for_others": _HELD,
    "climate_not_here": _NO_COLD,
    "parcel_too_heavy": (Saying(N_("It is too heavy for these doors"), _TAKE_ALONG),),
    "sides_unknown": (Saying(N_("We do not know its size yet"), N_("Come back when the shop has told us.")),),
    "proof_not_possible_here": (Saying(N_("This station cannot check who collects"), _ANOTHER),),
    "proof_too_weak": (Saying(N_("It is worth much"), N_("It goes to one person only, who shows a passkey.")),),
    "too_far_ahead": (Saying(N_("That is too far ahead"), N_("Come back nearer to the day.")),),
    "wrong_stage": (Saying(N_("That is not possible now"), N_("Look at where the parcel is.")),),
    "already_deposited": _ALREADY_IN,
    "too_late_to_extend": _TOO_LATE,
    "too_many_extensions": _KEPT_OFTEN,
    "held_back": (Saying(N_("It is held back for now"), N_("Ask the company that sent it.")),),
    "too_many_codes": (Saying(N_("Enough codes were drawn here today"), N_("Open the door instead, or wait a day.")),),
    "too_many_staff": (Saying(N_("This station knows too many people"), N_("Revoke some of them first.")),),
    "wrong_code": _WRONG_CODE,
    "codes_paused": _PAUSED,
    "selector_needed": (Saying(N_("And the last 4 of the parcel number"), N_("It is in your message.")),),
    "door_busy": _DOOR_BUSY,
    "door_failed": _DOOR_FAILED,
    "cannot_record": (Saying(N_("This station opens no door now"), N_("Your code stays good. Come back later.")),),
    "stale_screen": NO_WORDS,
    "deposit_too_late": (Saying(N_("The time to bring this one has passed"), _TAKE_ALONG),),
    "station_offline": (Saying(N_("This station works on its own now"), N_("Use the code or the QR at its screen.")),),
    "not_present": (
        Saying(N_("That is not the number on the screen"), N_("It changes every half minute. Read it once more.")),
    ),
    "order_late": _NOT_OPENED,
    "door_rests": (
        Saying(N_("The lock rests for a moment"), N_("It was used often just now. Try once more in a minute.")),
    ),
    "order_repeated": _NOT_OPENED,
    "order_unknown": _NOT_OPENED,
    "passkey_wrong": (Saying(N_("That passkey does not fit here"), N_("Try once more.")),),
    "claim_unknown": NEWER_CODE,
    "invite_unknown": (Saying(N_("That code signs in nobody"), N_("Ask your operator for a new one.")),),
    "asked_already": (Saying(N_("You asked for this already"), N_("It stands under “Keep longer”.")),),
    "too_new_to_agree": (
        Saying(N_("You agree to nothing yet"), N_("You were admitted or changed within a day. Ask somebody else.")),
    ),
    "second_person_needed": (Saying(N_("A second person must agree"), N_("Nobody agrees to what they asked for.")),),
    "reason_missing": (Saying(N_("Say why first"), N_("It goes into the journal.")),),
    "prove_again": (Saying(N_("Prove once more that it is you")),),
    "bundle_unknown": (Saying(N_("That could not be read"), N_("Scan the station's screen once more.")),),
    "station_taken": (Saying(N_("This station is set up already"), N_("Make a new claim code to set it up again.")),),
}

REFUSALS: dict[str, dict[Face, Sayings]] = {
    **{reason: {"kiosk": sayings, "phone": sayings} for reason, sayings in _BOTH.items()},
    "not_found": {
        "kiosk": (Saying(N_("There is nothing here"), N_("Go back to the start.")),),
        "phone": (Saying(N_("This link shows no parcel"), N_("Open the newest message and follow its link.")),),
    },
    "sign_in": {"kiosk": (Saying(N_("Scan this with your phone")),), "phone": (Saying(N_("Sign in first")),)},
    "no_right": {
        "kiosk": (Saying(N_("Your badge does not allow this")),),
        "phone": (Saying(N_("Your role does not allow this")),),
    },
    "proof_missing": {
        "kiosk": (Saying(N_("This parcel is for you in person"), N_("Go on with your phone.")),),
        "phone": (Saying(N_("One check first"), N_("Use your passkey.")),),
    },
    "parcel_too_large": {
        "kiosk": (Saying(N_("It fits no door"), N_("Take it along and tell us.")),),
        "phone": (Saying(N_("It fits no door here")),),
    },
    "label_twice": {
        "kiosk": (
            Saying(N_("Several parcels here have this label"), N_("Use the code instead, or open each by its door.")),
        ),
        "phone": (Saying(N_("Another parcel there has this label"), N_("Give this one a label of its own.")),),
    },
    "not_for_this_station": {
        "kiosk": (Saying(N_("This one is not for here"), _TAKE_ALONG),),
        "phone": (Saying(N_("It belongs to {station}")), Saying(N_("This one is not for here"))),
    },
}
