"""Who is asked as a second person has both answers, wherever they are asked: to agree, and to refuse."""

import re

import msgspec
import pytest

from parcelwall.web.render import Renderer
from web import samples, samples_console
from web.gallery import words_of

WAITS = msgspec.structs.replace(samples_console.LONGER, state="waiting", due_at=None)


def page_of(name: str, **changed: object) -> str:
    view = samples.all_views(words_of("en"))[name]
    return Renderer(words_of).fragment(msgspec.structs.replace(view, **changed))


def answers(page: str) -> list[str]:
    form = r'action="/console/acts/[^"]+/(agree|withdraw)".*?<button[^>]*>.*?</svg>([^<]+)<'
    return re.findall(form, page, re.DOTALL)


@pytest.mark.parametrize(
    ("name", "changed"),
    [("console-needs", {}), ("console-station", {}), ("console-write-off-asked", {}),
     ("console-expired-quiet", {"me": "noor"}), ("console-longer", {"acts": (WAITS,)})],
)  # fmt: skip
def test_a_second_person_agrees_or_refuses_and_takes_nothing_back(name: str, changed: dict[str, object]) -> None:
    assert answers(page_of(name, **changed)) == [("agree", "Agree"), ("withdraw", "Refuse")]


@pytest.mark.parametrize(
    ("name", "changed"),
    [("console-write-off-asked", {"me": "kaisa"}), ("console-longer", {"acts": (WAITS,), "me": "noor"}),
     ("console-expired-quiet", {}), ("console-longer", {})],
)  # fmt: skip
def test_who_asked_or_agreed_takes_it_back(name: str, changed: dict[str, object]) -> None:
    assert answers(page_of(name, **changed)) == [("withdraw", "Take it back")]
