"""A saying: a heading without a full stop and at most one line below it, whole sentences; how screens speak."""

import string
from collections.abc import Iterable
from typing import NamedTuple

from parcelwall.notices.language import Plural, Text, Words


class Saying(NamedTuple):
    """Heading and line: not yet translated in the tables, translated when it has been said."""

    heading: Text
    line: Text = ""

    def whole(self) -> str:
        """Both in one line, for a list, an API answer or a voice."""
        heading, line = str(self.heading), str(self.line)
        stop = "" if not heading or heading[-1] in ".?:؟" else "."
        return f"{heading}{stop} {line}" if line else heading


def say(sayings: Iterable[Saying], words: Words, values: dict[str, object]) -> Saying:
    """The first saying all of whose places can be filled with `values`, in the reader's language.

    None and "" are no values. Tables put the best informed saying first and end with one that needs nothing.
    """
    known = {name: value for name, value in values.items() if value is not None and value != ""}
    chosen = next((each for each in sayings if places(each.heading) | places(each.line) <= known.keys()), None)
    assert chosen is not None, f"no saying can be filled with only {sorted(known)}"
    return Saying(words.say(chosen.heading, **known), words.say(chosen.line, **known))


def places(text: Text) -> set[str]:
    """The names of the places of a text: `{"station", "time"}`."""
    if isinstance(text, Plural):
        return places(text.one) | places(text.other) | {text.count_by}
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
