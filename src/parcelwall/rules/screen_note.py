"""What an operator has one station's screen say besides: one sentence of their own, in some languages, until a time.

Everybody who stands there reads it, and it stays in the journal: it is short, ends by itself, and names nobody.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from parcelwall.errors import Refusal
from parcelwall.rules.facts import ScreenNoted
from parcelwall.rules.personal import refuse_personal

LONGEST = 120  # characters: as much as stands beside the pad in large words
LASTS_AT_MOST = timedelta(days=31)


def note(
    station: str, own_language: str, texts: Mapping[str, str], until: datetime | None, now: datetime,
    actor: UUID | None = None,
) -> ScreenNoted:  # fmt: skip
    """The fact that puts these words on the screen; without any it takes off what stands there.

    Raises Refusal `bad_field` for words that are too long, on several lines, or tell of a person; if there are none in
    the station's own language, in which whoever has no other one reads them; and for an end that is past or far off.
    """
    said = {language: text.strip() for language, text in texts.items() if text.strip()}
    if not said:
        return ScreenNoted(station=station, actor=actor)
    for language, text in said.items():
        if len(text) > LONGEST or not text.isprintable():
            raise Refusal("bad_field", f"At most {LONGEST} characters on one line.", field=language)
        refuse_personal(text, language)
    if own_language not in said:
        raise Refusal("bad_field", "Say it in the station's own language, too.", field=own_language)
    if until is None or not now < until <= now + LASTS_AT_MOST:
        raise Refusal("bad_field", f"It ends within {LASTS_AT_MOST.days} days.", field="until")
    return ScreenNoted(station=station, texts=said, until=until, actor=actor)


def is_shown(noted: ScreenNoted | None, now: datetime) -> bool:
    return noted is not None and bool(noted.texts) and noted.until is not None and now < noted.until


def said_in(noted: ScreenNoted | None, language: str, own_language: str, now: datetime) -> tuple[str, str]:
    """The words for a reader, and which language they are in; two empty texts when there is nothing to say."""
    if noted is None or not is_shown(noted, now):
        return "", ""
    found = next((each for each in (language, own_language, *noted.texts) if each in noted.texts), "")
    return noted.texts[found], found
