"""What faces say of the state of a parcel, a door or a station, where the words do not stand in a template."""

from parcelwall.notices.language import N_, Plural
from parcelwall.notices.saying import Saying

STATES: dict[str, tuple[Saying, ...]] = {
    # a parcel, on the recipient's own page
    "coming": (
        Saying(N_("Coming to {station}"), N_("It should be there about {day}.")),
        Saying(N_("Coming to {station}"), N_("We tell you when it is there.")),
    ),
    "ready": (
        Saying(N_("Ready at {station}, door {door}"), N_("Yours until {time}.")),
        Saying(N_("Ready at {station}"), N_("Yours until {time}.")),
        Saying(N_("Ready at {station}")),
    ),
    "late": (
        Saying(N_("It is late, but it is still there"), N_("It goes back soon. Until then the door opens for you.")),
    ),
    "collected": (Saying(N_("Collected"), N_("{time}. Not you? Tell us.")), Saying(N_("Collected"))),
    "gone": (Saying(N_("It has gone back"), N_("{day}, to the sender.")), Saying(N_("It has gone back"))),
    "diverted": (
        Saying(N_("Coming another way"), N_("{carrier} brings it to {place}.")),
        Saying(N_("Coming another way"), N_("It could not go into a station.")),
    ),
    "cancelled": (Saying(N_("Cancelled"), N_("Ask the sender.")),),
    "send_it": (
        Saying(
            N_("Send it from {station}"), N_("Hold its label in front of the reader, or type this code. By {time}."),
        ),
        Saying(N_("Send it from {station}"), N_("Hold its label in front of the reader, or type this code.")),
    ),
    "sent": (Saying(N_("We have it at {station}"), N_("A courier takes it along. Nothing to do.")),),
    "moved": (
        Saying(N_("Now at {station}"), N_("{old} was full. Your new code: {code}.")),
        Saying(N_("Now at {station}"), N_("{old} was full. Your code stays the same.")),
    ),
    # a station's screen, while no door of it is opened
    "closed": (Saying(N_("This station is closed"), N_("Your code stays good. Come back later.")),),
    "not_recorded": (
        Saying(N_("We could not note that"), N_("This station's disk is full. Please call the operator.")),
    ),
    "not_recorded_put_nothing_in": (
        Saying(N_("We could not note that"), N_("Put nothing in. Push the door shut, and please call the operator.")),
    ),
    # what was just done
    "kept_longer": (Saying(N_("Yours until {time}")), Saying(N_("Yours for longer"))),
    "opened_for_you": (Saying(N_("Door {door} is open"), N_("Take your parcel. Push the door shut.")),),
    "last_day": (Saying(N_("Your parcel goes back soon: {time}"), N_("Keep it longer?")),),
    "storm": (
        Saying(
            Plural("We keep everything {n} hour longer", "We keep everything {n} hours longer"),
            N_("The weather is bad. Nothing to do."),
        ),
    ),
    "opened_by_us": (Saying(N_("We opened door {door} at {time}"), N_("Why: {reason}.")),),
    "granted": (Saying(N_("{label} may collect it until {time}"), N_("You can take this back.")),),
    "case_made": (
        Saying(N_("We have noted it: {case}"), N_("You hear from us by {time}.")),
        Saying(N_("We have noted it: {case}")),
    ),
    # a person, on the own pages
    "me_shown": (Saying(N_("That was right"), N_("What is announced to this address now comes into your list.")),),
    "me_passkey": (Saying(N_("Your passkey is made"), N_("We have told you so by message, too.")),),
    "me_preferred": (Saying(N_("We keep it so")),),
    "me_prove": (Saying(N_("First show that it is you"), N_("With your passkey, or with a number sent to you.")),),
    "me_proved": (Saying(N_("That was right"), N_("For 5 minutes you can change what is yours here.")),),
    "me_taken": (Saying(N_("That passkey opens nothing any more"), N_("All other devices are signed out.")),),
    "number_wrong": (Saying(N_("That is not the number"), N_("Read it once more, or have a new one sent.")),),
    "number_not_sent": (Saying(N_("The number could not be sent"), N_("Try once more in a moment.")),),
    # a door
    "opening": (Saying(N_("Door {door} is opening")),),
    "open": (Saying(N_("Door {door} is open"), N_("Take your parcel. Push the door shut.")),),
    "opened_by_operator": (
        Saying(N_("The operator has opened door {door}"), N_("Leave inside what is inside. Push the door shut.")),
    ),
    "opened_to_take_out": (
        Saying(
            N_("The operator has opened door {door}"),
            N_("Whoever works for them takes out what is inside, then pushes the door shut."),
        ),
    ),
    "open_spoken": (
        Saying(
            N_("Door {door} is open"),
            N_("{place} Follow the ticking sound. Take your parcel, then push the door shut."),
        ),
    ),
    "still_open": (Saying(N_("Door {door} is still open"), N_("Push it shut, please.")),),
    "done": (Saying(N_("Done. Door {door} is shut")),),
    "several": (Saying(Plural("You have {n} parcel here", "You have {n} parcels here"), N_("First: door {door}.")),),
    # a label that a courier has read
    "label_here": (Saying(N_("This one is for here"), N_("Size {size}, ending {ending}. Scan it at the station.")),),
    "label_inside": (Saying(N_("This one is in already"), N_("Ending {ending}.")),),
    "label_elsewhere": (Saying(N_("This one is not for here"), N_("It belongs to {station}.")),),
    "label_mistyped": (Saying(N_("Check the number"), N_("One character is not right.")),),
    "label_unknown": (Saying(N_("This one is not on your round"), N_("Take it along and tell us.")),),
    # what became of a courier's report
    "photo_unread": (
        Saying(N_("Noted without its photo"),
               N_("We cannot keep that file. Report it again with a new photo: both are one case.")),
    ),
    "photo_unwanted": (Saying(N_("Noted without its photo"), N_("The carrier of this parcel wants none.")),),
    "photo_missing": (
        Saying(N_("Noted, and a photo is wanted"),
               N_("The carrier of this parcel wants one. Report it again with a photo: both are one case.")),
    ),
    "photo_left_out": (Saying(N_("Noted without its photo"), N_("You have sent as many today as we keep.")),),
    # a station
    "alone": (Saying(N_("This station works on its own now"), N_("Collecting works.")),),
}
