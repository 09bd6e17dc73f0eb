"""Which sound a screen of the kiosk makes."""

import re

from parcelwall.station.showing import Showing
from parcelwall.web.kiosk_picture import CUES, cue_of
from tidy.source import SRC


def test_a_test_of_the_sound_is_heard() -> None:
    assert cue_of(Showing(screen="service", number=1, found="sound")) == "good"
    assert cue_of(Showing(screen="service", number=1, found="sensors")) == ""
    assert cue_of(Showing(screen="wrong", number=1)) == "refused"


def test_every_cue_is_a_sound_that_the_page_can_make() -> None:
    script = (SRC / "web" / "static" / "voice.js").read_text(encoding="utf-8")
    notes = set(re.findall(r"(\w+): \[\[", script))
    assert set(CUES.values()) <= notes
    two = re.search(r"good: (\[\[.*?\]\])", script)
    assert two and two[1].count("],") == 1, "the screen of the test says: two notes"
