"""What a recipient's page says of a door that stayed shut: always something, and nothing once the parcel is out."""

import pytest

from parcelwall.errors import REASONS
from parcelwall.notices.language import words
from parcelwall.rules.life import Stage
from parcelwall.web.recipient_view import OF_OPENING, notice_of
from parcelwall.web.views import Look
from rules.samples import parcel

SAID = (*OF_OPENING, "unanswered")


@pytest.mark.parametrize("said", SAID)
def test_each_way_to_stay_shut_has_words_while_it_lies_inside(said: str) -> None:
    notice, refused = notice_of(said, parcel(stage=Stage.READY, compartment=7), words("en"), Look())
    assert notice and refused


@pytest.mark.parametrize("said", SAID)
def test_and_none_once_it_is_out(said: str) -> None:
    assert notice_of(said, parcel(stage=Stage.COLLECTED, compartment=7), words("en"), Look()) == ("", False)


def test_they_are_reasons() -> None:
    assert set(OF_OPENING) <= set(REASONS)
