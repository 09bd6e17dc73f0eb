"""What each notice says, before it has a language: subject, lead and text message per purpose.

The best informed saying stands first. No saying names a sender, contents or money, and none holds a link of its own
(trust.md A-15): the one link of a notice is put below it.
"""

from typing import Literal

from parcelwall.notices.language import N_
from parcelwall.notices.saying import Saying

Purpose = Literal[
    "ready", "reminder", "kept_longer", "overdue", "moved", "diverted", "gone_back", "lost", "opened_by_us",
    "code_drawn", "looked_after", "received",
]

# Subject and heading, then the lead below it.
LETTERS: dict[str, tuple[Saying, ...]] = {
    "ready": (
        Saying(N_("Ready at {station}, door {door}"), N_("Your parcel is waiting for you.")),
        Saying(N_("Ready at {station}"), N_("Your parcel is waiting for you.")),
    ),
    "received": (
        Saying(N_("We have it at {station}"), N_("A courier takes it along. This is your receipt.")),
    ),
    "reminder": (
        Saying(
            N_("Your parcel waits until {time}"),
            N_("Then it goes back. If you need longer, its page says what is possible."),
        ),
        Saying(
            N_("Your parcel is still waiting"),
            N_("It goes back soon. If you need longer, its page says what is possible."),
        ),
    ),
    "kept_longer": (
        Saying(N_("Yours until {time}"), N_("We keep your parcel longer. Nothing to do.")),
        Saying(N_("Yours for longer"), N_("We keep your parcel longer. Nothing to do.")),
    ),
    "overdue": (Saying(N_("Late, but still there"), N_("Your parcel is still at {station}. It goes back soon.")),),
    "moved": (
        Saying(N_("Now at {station}"), N_("{old_station} was full. You have a new code: {new_code}.")),
        Saying(N_("Now at {station}"), N_("{old_station} was full. Your code stays the same: {code}.")),
        Saying(N_("Now at {station}"), N_("It is another station than planned. Your code: {code}.")),
        Saying(N_("Now going to {station}"), N_("{old_station} was full. We tell you when your parcel is there.")),
        Saying(N_("Now going to {station}"), N_("We tell you when your parcel is there.")),
    ),
    "diverted": (
        Saying(N_("Coming another way"), N_("It could not go into a station. {carrier} brings it to {pick_up}.")),
        Saying(N_("Coming another way"), N_("It could not go into a station. {carrier} brings it to you.")),
        Saying(N_("Coming another way"), N_("It could not go into a station. The carrier brings it to you.")),
    ),
    "gone_back": (Saying(N_("It has gone back"), N_("Your parcel has gone back to the sender.")),),
    "lost": (
        Saying(
            N_("Your parcel is lost"),
            N_("We are sorry: nobody can hand it out any more. Ask the carrier what happens now."),
        ),
    ),
    "opened_by_us": (
        Saying(
            N_("We opened door {door} at {station}"),
            N_(
                "One of our people had it opened. Your code stays good. Its page says when, and there you can tell us "
                "if something is wrong."
            ),
        ),
        Saying(
            N_("We opened the door of your parcel"),
            N_("One of our people had it opened. Its page says when, and there you can tell us if something is wrong."),
        ),
    ),
    "code_drawn": (
        Saying(
            N_("We drew one more code for door {door} at {station}"),
            N_(
                "One of our people was asked for it. Whoever has it can open the door, once. Your own code stays good. "
                "If you did not ask, collect your parcel soon: then no code opens its door any more. And tell us on "
                "its page."
            ),
        ),
        Saying(
            N_("We drew one more code for your parcel"),
            N_(
                "One of our people was asked for it. Whoever has it can open the door, once. If you did not ask, tell "
                "us on its page."
            ),
        ),
    ),
    "looked_after": (
        Saying(
            N_("We look after your parcel at {station}"),
            N_("Something is wrong there. We know and see to it: nothing to do for you. Its page says how it is."),
        ),
    ),
}

TEXT_MESSAGES: dict[str, tuple[Saying, ...]] = {
    "received": (
        Saying(N_("Parcelwall: we have your parcel at {station}. Receipt {receipt}. {link}")),
        Saying(N_("Parcelwall: we have your parcel. {link}")),
    ),
    "ready": (
        Saying(
            N_(
                "Parcelwall: your parcel is at {station}, door {door}, until {time}. "
                "Code {code}, parcel number ends {selector}. {link}"
            )
        ),
        Saying(N_("Parcelwall: your parcel is at {station}, door {door}, until {time}. Code {code}. {link}")),
        Saying(N_("Parcelwall: your parcel is at {station} until {time}. {link}")),
        Saying(N_("Parcelwall: your parcel is at {station}. {link}")),
    ),
    "reminder": (
        Saying(N_("Parcelwall: your parcel at {station}, door {door}, waits until {time}. Code {code}. {link}")),
        Saying(N_("Parcelwall: your parcel at {station} waits until {time}. {link}")),
        Saying(N_("Parcelwall: your parcel at {station} goes back soon. {link}")),
    ),
    "kept_longer": (
        Saying(N_("Parcelwall: your parcel at {station}, door {door}, is yours until {time}. Code {code}. {link}")),
        Saying(N_("Parcelwall: your parcel at {station} is yours until {time}. {link}")),
        Saying(N_("Parcelwall: we keep your parcel at {station} longer. {link}")),
    ),
    "overdue": (
        Saying(
            N_("Parcelwall: your parcel is still at {station}, door {door}. It goes back soon. Code {code}. {link}")
        ),
        Saying(N_("Parcelwall: your parcel is still at {station}. It goes back soon. {link}")),
    ),
    "moved": (
        Saying(N_("Parcelwall: your parcel is now at {station}, door {door}. Your new code: {new_code}. {link}")),
        Saying(N_("Parcelwall: your parcel is now at {station}. Your new code: {new_code}. {link}")),
        Saying(N_("Parcelwall: your parcel is now at {station}, door {door}. Your code stays {code}. {link}")),
        Saying(N_("Parcelwall: your parcel is now at {station}. Your code stays {code}. {link}")),
        Saying(N_("Parcelwall: your parcel now goes to {station}. We tell you when it is there. {link}")),
    ),
    "diverted": (Saying(N_("Parcelwall: your parcel is coming another way. {link}")),),
    "gone_back": (Saying(N_("Parcelwall: your parcel has gone back to the sender. {link}")),),
    "lost": (Saying(N_("Parcelwall: we are sorry, your parcel is lost. Ask the carrier what happens now. {link}")),),
    "opened_by_us": (
        Saying(N_("Parcelwall: one of our people had door {door} at {station} opened, where your parcel lies. {link}")),
        Saying(N_("Parcelwall: one of our people had the door of your parcel opened. {link}")),
    ),
    "code_drawn": (
        Saying(
            N_(
                "Parcelwall: one more code was drawn for your parcel, door {door} at {station}. "
                "You did not ask? Collect it soon, and tell us. {link}"
            )
        ),
        Saying(N_("Parcelwall: one more code was drawn for your parcel. You did not ask? Tell us. {link}")),
    ),
    "looked_after": (
        Saying(N_("Parcelwall: something is wrong with your parcel at {station}. We know and see to it. {link}")),
    ),
}

# How to get at it; only where there is a code.
HOW = (
    N_("Type the code at the station, or hold the QR code in front of the reader. The door opens by itself."),
    N_("Take your parcel, then push the door shut."),
)
HOW_BY_QR = (N_("Hold the QR code in front of the reader. The door opens by itself."), HOW[1])
BUTTON = N_("See your parcel")
FOOTER = N_("Parcelwall sends this because a parcel is for you. We never ask you for your code.")
QR_WORDS = N_("QR code to hold in front of the reader")
LABELS = {
    "code": N_("Your code"),
    "selector": N_("Last 4 of the parcel number, if the screen asks"),
    "until": N_("Collect by"),
    "station": N_("Station"),
    "address": N_("Address"),
    "way": N_("The way there"),
    "door": N_("Door"),
    "place": N_("Where it is"),
    "receipt": N_("Your receipt"),
    "ending": N_("Parcel number ends with"),
}
WITH_CODE = frozenset({"ready", "reminder", "kept_longer", "overdue", "moved"})  # the parcel lies in a compartment
