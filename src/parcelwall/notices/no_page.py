"""What a person reads where there is no page to show, or where a form could not be taken (`web.refused`).

Keyed by the reason of the refusal, with the place before it where it reads otherwise there: at `own` links of parcels,
at the `courier`'s pages, at `others`. What is not here is said as everywhere else (`refusals`).
"""

from parcelwall.notices.language import N_
from parcelwall.notices.saying import Saying

_NOTHING = N_("There is nothing here")
_FOREIGN = (Saying(N_("That did not go through"), N_("Another site's page has sent it. Send it from ours.")),)

SAYINGS: dict[str, tuple[Saying, ...]] = {
    "others not_found": (Saying(_NOTHING, N_("Check the address, or open the newest message.")),),
    "courier not_found": (Saying(_NOTHING, N_("It may not be on your round any more.")),),
    "own no_right": _FOREIGN,
    "others no_right": _FOREIGN,
    "courier no_right": _FOREIGN,
    "sign_in": (Saying(N_("Sign in first"), N_("Follow the link in your newest message, or show your passkey.")),),
    "courier sign_in": (Saying(N_("Sign in first"), N_("Ask your operator for a new code.")),),
    "too_large_a_body": (Saying(N_("That is too large to send"), N_("Go back and send less.")),),
    "later": (Saying(N_("We cannot answer just now"), N_("Try once more in a moment.")),),
    "broken": (Saying(N_("Something here is broken"), N_("We can see it, and it is ours to mend. Try again later.")),),
}
