"""The door to what faces say: the languages, the refusals and the states. Mails and text messages are in letters.py.

>>> refusal_text("door_busy", words("en"), "kiosk", door=14).whole()
'Door 14 is still open. Push it shut first.'
"""

from parcelwall.notices.language import SOURCE, Words, languages, words
from parcelwall.notices.refusals import REFUSALS, Face
from parcelwall.notices.saying import Saying, say
from parcelwall.notices.states import STATES

__all__ = ["SOURCE", "Face", "Saying", "Words", "languages", "refusal_text", "state_text", "words"]


def refusal_text(reason: str, words: Words, face: Face, **values: object) -> Saying:
    """What a person reads for a `Refusal.reason`. Both parts are empty for a screen that is only drawn anew.

    `values` fill the places of the better informed sayings: `n` tries left, `door`, `case`, `station`, and `time` and
    `distance` already written by `times`. Those that are missing or None choose a plainer saying.
    """
    assert reason in REFUSALS, f"no words for refusal {reason!r}: add them to notices/refusals.py"
    return say(REFUSALS[reason][face], words, values)


def state_text(key: str, words: Words, **values: object) -> Saying:
    """What a face says about a state, a key of `states.STATES`; its places must be among `values`."""
    return say(STATES[key], words, values)
