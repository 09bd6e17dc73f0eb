"""The words of the tracking sentence. Which one is due is decided in `rules.sentence`; here it is only said.

A bare number gives a heading and at most a day; who holds the link from a notice reads more (faces.md 1.5). `delayed`
is a key of its own: say it instead of the key when the rules' sentence is delayed.
"""

from parcelwall.notices.language import N_, Words
from parcelwall.notices.saying import Saying, say

_ABOUT = N_("About {day}.")
_ANNOUNCED = (
    Saying(N_("Announced"), N_("Expected about {day}.")),
    Saying(N_("Announced")),
)
_ON_THE_WAY = (Saying(N_("On the way"), _ABOUT), Saying(N_("On the way")))
_OUT = (Saying(N_("Out for delivery today")),)
_LATER = (Saying(N_("Later than planned"), _ABOUT), Saying(N_("Later than planned"), N_("No new time yet.")))
_UNKNOWN = (Saying(N_("We find nothing under this number"), N_("Check it with the sender.")),)
_PROBLEM = (
    Saying(N_("Something has happened to it"), N_("We look into it. Case {case}.")),
    Saying(N_("Something has happened to it"), N_("We look into it.")),
)
_NOT_DELIVERED = (Saying(N_("It could not be delivered"), N_("Ask the carrier.")),)
_GOING_BACK = (Saying(N_("On the way back to the sender")),)

BARE: dict[str, tuple[Saying, ...]] = {
    "announced": _ANNOUNCED,
    "in_transit": _ON_THE_WAY,
    "out_for_delivery": _OUT,
    "awaiting_drop_off": _OUT,
    "delayed": _LATER,
    "in_compartment": (Saying(N_("Ready to collect"), N_("Until {day}.")), Saying(N_("Ready to collect"))),
    "overdue": (Saying(N_("Ready to collect. Late")),),
    "collected": (Saying(N_("Collected"), N_("{day}.")), Saying(N_("Collected"))),
    "taken_back": (Saying(N_("Gone back"), N_("{day}.")), Saying(N_("Gone back"))),
    "returning": _GOING_BACK,
    "returned": (Saying(N_("Back at the sender")),),
    "diverted": (Saying(N_("Coming another way")),),
    "lost": (Saying(N_("It is lost")),),
    "elsewhere": (Saying(N_("Handed over elsewhere")),),
    "not_delivered": (Saying(N_("It could not be delivered")),),
    "problem": (Saying(N_("Something has happened to it")),),
    "cancelled": _UNKNOWN,
    "cancelled_by_carrier": _UNKNOWN,
    "unknown": _UNKNOWN,
    "too_many_tries": (
        Saying(N_("Too many tries from here"), N_("Pause: {time}.")),
        Saying(N_("Too many tries from here"), N_("Come back later.")),
    ),
}

LINKED: dict[str, tuple[Saying, ...]] = BARE | {
    "announced": (Saying(N_("The shop has told us"), N_("We do not have it yet.")),),
    "in_transit": (
        Saying(N_("At the {town} depot"), N_("It should go out {day}.")),
        Saying(N_("On the way to {station}"), N_("It should be there about {day}.")),
        Saying(N_("On the way to {station}")),
        *_ON_THE_WAY,
    ),
    "out_for_delivery": (
        Saying(N_("Out for delivery"), N_("In a compartment by about {time}. You get the code then.")),
        Saying(N_("Out for delivery"), N_("You get the code when it is in a compartment.")),
    ),
    "awaiting_drop_off": (
        Saying(N_("Out for delivery to {station}"), N_("In a compartment by about {time}. You get the code then.")),
        Saying(N_("Out for delivery to {station}"), N_("You get the code when it is in a compartment.")),
        Saying(N_("Out for delivery"), N_("You get the code when it is in a compartment.")),
    ),
    "delayed": (
        Saying(N_("Later than planned"), N_("{reason} New time: about {time}.")),
        Saying(N_("Later than planned"), N_("{reason} No new time yet.")),
        Saying(N_("Later than planned"), N_("New time: about {time}.")),
        *_LATER,
    ),
    "moved": (
        Saying(N_("Going to {station}"), N_("{old} was full. Nothing to do.")),
        Saying(N_("Going to {station}"), N_("Nothing to do.")),
    ),
    "in_compartment": (
        Saying(N_("Waiting at {station}"), N_("Until {time}.")),
        Saying(N_("Waiting at {station}")),
        *BARE["in_compartment"],
    ),
    "overdue": (Saying(N_("Late, but still there"), N_("It goes back soon.")),),
    "taken_back": (Saying(N_("Gone back"), N_("{day}, to the sender.")), Saying(N_("Gone back to the sender"))),
    "diverted": (
        Saying(N_("Coming another way"), N_("It could not go into a station. {carrier} brings it to {place}.")),
        Saying(N_("Coming another way"), N_("It could not go into a station. {carrier} brings it.")),
        Saying(N_("Coming another way"), N_("It could not go into a station.")),
    ),
    "lost": (
        Saying(N_("It is lost"), N_("We are sorry. Ask {carrier} what happens now.")),
        Saying(N_("It is lost"), N_("We are sorry. Ask the carrier what happens now.")),
    ),
    "elsewhere": (
        Saying(N_("Handed over elsewhere"), N_("{carrier} says: {place}.")),
        Saying(N_("Handed over elsewhere"), N_("Ask the carrier where.")),
    ),
    "not_delivered": (Saying(N_("It could not be delivered"), "{reason}"), *_NOT_DELIVERED),
    "problem": _PROBLEM,
    "cancelled": (Saying(N_("Cancelled"), N_("Ask the sender.")),),
    "cancelled_by_carrier": (Saying(N_("Cancelled"), N_("Ask the sender.")),),
}


def sentence_text(key: str, words: Words, *, linked: bool = False, delayed: bool = False, **values: object) -> Saying:
    """The sentence for `key` of `rules.sentence`, for a bare number or for the link from a notice.

    `values` as known: `day` and `time` written by `times`, `station`, `town`, `old`, `place`, `carrier`, `case`, and
    `reason` from `reason_text`. A bare number uses at most `day`, whatever is given.
    """
    table = LINKED if linked else BARE
    shown = values if linked else {name: values.get(name) for name in ("day", "time")}
    return say(table["delayed" if delayed else key], words, shown)


# Why it is late or was not delivered: groups of the carriers' reasons, as whole sentences (features.md 3.5).
_GROUPS: dict[str, tuple[str, ...]] = {
    N_("It was damaged on the way."): ("carrier_damaged_parcel",),
    N_("It was sent the wrong way."): ("carrier_sorting_error",),
    N_("The address was not found."): ("carrier_address_not_found",),
    N_("It cannot be found."): ("carrier_parcel_lost",),
    N_("The round ran late."): ("carrier_not_enough_time", "carrier_vehicle_issue", "carrier_mechanical_delay"),
    N_("There was no room."): ("carrier_capacity_exceeded", "station_full", "no_fitting_compartment"),
    N_("No door within reach was free."): ("no_reachable_compartment",),
    N_("No station was near enough."): ("no_station_near",),
    N_("The room was kept for other parcels."): ("held_for_others",),
    N_("The shop has cancelled it."): ("retailer_cancelled",),
    N_("Data are missing."): ("retailer_incorrect_data",),
    N_("The shop has not handed it over yet."): ("retailer_not_ready",),
    N_("It was not accepted as packed."): ("retailer_incorrect_parcel", "retailer_packaging_issue"),
    N_("It is too large for the station."): ("retailer_incorrect_dimensions", "parcel_too_large"),
    N_("It is too heavy for the station."): ("parcel_too_heavy",),
    N_("The station has no cold door."): ("climate_not_here",),
    N_("It was refused."): ("consignee_refused", "recipient_declined"),
    N_("It was cancelled by you."): ("consignee_cancelled",),
    N_("It was closed there."): ("consignee_business_closed",),
    N_("Nobody was there."): ("consignee_not_available", "consignee_not_home"),
    N_("It was not clear who may have it."): ("consignee_verification_failed",),
    N_("The address is wrong."): ("consignee_incorrect_address",),
    N_("The place could not be used."): (
        "consignee_access_restricted", "consignee_safe_place_unavailable", "station_out_of_service", "door_fault",
    ),
    N_("It is at customs."): ("customs_delay", "customs_inspection"),
    N_("Papers are missing."): ("customs_documentation", "regulatory_hold", "customs_duties_unpaid"),
    N_("It is not allowed in."): ("customs_prohibited",),
    N_("The weather is bad."): ("weather_delay",),
    N_("Nobody could have helped it."): ("natural_disaster", "force_majeure"),
    N_("It got too warm."): ("climate_excursion",),
    N_("It is being looked into."): ("parcel_being_researched", "security_issue"),
}  # fmt: skip
REASONS = {reason: sentence for sentence, reasons in _GROUPS.items() for reason in reasons}


def reason_text(reason: str, words: Words) -> str | None:
    """Why, in one sentence: "The round ran late." None for a reason without a group, so that nothing is said of it."""
    return words.say(REASONS[reason]) if reason in REASONS else None
