"""What a person at the console reads instead of a page that they may not see, or of an act that they may not do."""

from collections.abc import Callable
from typing import Any

from litestar import Request, Response

from parcelwall.errors import Refusal
from parcelwall.notices.texts import refusal_text, words
from parcelwall.web.console import said
from parcelwall.web.console.gate import look
from parcelwall.web.console.views import RefusedView
from parcelwall.web.problems import STATUS, on_refusal
from parcelwall.web.reader import page
from parcelwall.web.render import Renderer

NOTHING_WAS_DONE = ("no_right", "not_found")


def on_refused(renderer: Renderer) -> Callable[[Request[Any, Any, Any], Refusal], Response[Any]]:
    """A page for whoever asked for one; scripts and programs have the problem as it is everywhere else."""

    def answer(request: Request[Any, Any, Any], no: Refusal) -> Response[Any]:
        if "text/html" not in request.headers.get("accept", ""):
            return on_refusal(request, no)
        known = words(look(request).language)
        if no.reason in said.REFUSED:
            heading, line = known.gettext(said.REFUSED[no.reason]), ""
        else:
            saying = refusal_text(no.reason, known, "phone")
            heading, line = str(saying.heading), str(saying.line)
        if no.reason in NOTHING_WAS_DONE:
            line = known.gettext(said.WHO_MAY)
        return page(renderer, RefusedView(heading, line), look(request), STATUS[no.reason])

    return answer
