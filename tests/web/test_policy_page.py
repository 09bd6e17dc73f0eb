"""The console's page of the policy: every knob is there, as what it is."""

from parcelwall.hub import policies
from parcelwall.notices.language import words
from parcelwall.rules.policy import Policy
from parcelwall.web.console.office import knobs_in_words
from parcelwall.web.render import Renderer, no_words
from parcelwall.web.views import Look
from web import samples


def test_every_knob_that_there_is_stands_on_the_page_once() -> None:
    values = policies.knobs(Policy())
    shown = [each.name for group in knobs_in_words(values, words("en")) for each in group.knobs]
    assert sorted(shown) == sorted(values) and len(shown) == len(set(shown))


def test_a_knob_is_chosen_or_typed_as_what_it_is() -> None:
    page = Renderer().page(samples.all_views(no_words("en"))["console-policy"], Look())

    def field(name: str) -> str:
        begin = page.rindex("<", 0, page.index(f'name="{name}"'))
        return page[begin : page.index(">", begin)]

    assert field("ask_permit").startswith("<select") and field("serve_unwalked").startswith("<select")
    assert " required" in field("hold_hours") and 'inputmode="decimal"' in field("hold_hours")
    for name in policies.OF_CARRIERS:
        assert 'dir="ltr"' in field(name) and " required" not in field(name) and "decimal" not in field(name), name
    assert 'maxlength="3"' in field("cost_currency")
