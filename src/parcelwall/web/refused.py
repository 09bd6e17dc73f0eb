"""What a person reads instead of a page that cannot be shown, and after a form that could not be taken.

Every no over HTTP is a problem for programs (`web.problems`). Which of them reads it is told by the address: programs,
stations and the scripts of pages have theirs, all others are for people. These get a page in their language: what is
wrong, what to do, and a way on.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from litestar import Request, Response
from litestar.exceptions import NotFoundException

from parcelwall.notices import no_page
from parcelwall.notices.language import Words, words
from parcelwall.notices.saying import Saying, say
from parcelwall.notices.texts import refusal_text
from parcelwall.web.console import said
from parcelwall.web.console.views import RefusedView as ConsoleRefusedView
from parcelwall.web.problems import Problem
from parcelwall.web.reader import look_of, page
from parcelwall.web.render import Renderer, duration
from parcelwall.web.views import Look, RefusedView, WayOn

Handler = Callable[[Request[Any, Any, Any], Any], Problem]
_PROGRAMS = re.compile(
    r"/(api|health|static|map|link|enrol|metrics)(/.*)?"  # companies, stations, and what pages are made of
    r"|.*/(begin|finish|events)"  # passkey.js, and streams
    r"|/courier/(label|delegations)|.*\.(js|json|webmanifest|ico)",
    re.DOTALL,
)
_OUTBOX = "/courier/outbox"  # a page to look at, and where its script sends what it holds
_OWN_PAGE = re.compile(r"/[pf]/[\w-]+")
_KEPT_HEADERS = ("Retry-After", "WWW-Authenticate", "Allow")
_NOTHING_WAS_DONE = ("no_right", "not_found")


def is_for_people(request: Request[Any, Any, Any]) -> bool:
    """Whether a person reads what this address answers."""
    path = request.url.path
    return not _PROGRAMS.fullmatch(path) and (path, request.method) != (_OUTBOX, "POST")


def for_people(handlers: Mapping[Any, Handler], renderer: Renderer) -> dict[int | type[Exception], Any]:
    """The same handlers, whose problems are pages where people read them. Where there is no such address at all, the
    browser is known by what it takes."""

    def told(handle: Handler) -> Callable[[Request[Any, Any, Any], Any], Response[bytes]]:
        def answer(request: Request[Any, Any, Any], failed: Any) -> Response[bytes]:
            problem = handle(request, failed)
            takes_pages = "text/html" in request.headers.get("accept", "")
            shown = is_for_people(request) and (takes_pages or not isinstance(failed, NotFoundException))
            return _page(request, problem, renderer) if shown else problem

        return answer

    return {kind: told(handle) for kind, handle in handlers.items()}


def _page(request: Request[Any, Any, Any], problem: Problem, renderer: Renderer) -> Response[bytes]:
    status, look = problem.status_code or 500, look_of(request)
    is_console = request.url.path.startswith("/console")
    view = (_at_the_console if is_console else _elsewhere)(request, problem, words(look.language), look)
    shown = page(renderer, view, look, status)
    shown.headers.update({name: value for name, value in problem.headers.items() if name in _KEPT_HEADERS})
    return shown


def _at_the_console(
    request: Request[Any, Any, Any], problem: Problem, known: Words, look: Look
) -> ConsoleRefusedView:
    heading, line = _words_of(problem, known, look)
    if problem.reason in said.REFUSED:
        heading, line = known.gettext(said.REFUSED[problem.reason]), ""
    if problem.reason in _NOTHING_WAS_DONE:
        line = known.gettext(said.WHO_MAY)
    return ConsoleRefusedView(heading, line)


def _elsewhere(request: Request[Any, Any, Any], problem: Problem, known: Words, look: Look) -> RefusedView:
    path = request.url.path
    place = "courier" if path.startswith("/courier") else "own" if _OWN_PAGE.match(path) else "others"
    heading, line = _words_of(problem, known, look, place)
    return RefusedView(heading, line, *_way_on(request, problem, place))


def _words_of(problem: Problem, known: Words, look: Look, place: str = "") -> tuple[str, str]:
    """Heading and line, in the reader's language."""
    reason = problem.reason
    sayings = no_page.SAYINGS.get(f"{place} {reason}") or no_page.SAYINGS.get(reason)
    if (problem.status_code or 500) >= 500:
        sayings = no_page.SAYINGS["later" if problem.retry_s else "broken"]
    values: dict[str, object] = {"time": duration(problem.retry_s, look) if problem.retry_s else None}
    told: Saying = say(sayings, known, values) if sayings else refusal_text(reason, known, "phone", **values)
    return str(told.heading), str(told.line)


def _way_on(request: Request[Any, Any, Any], problem: Problem, place: str) -> tuple[WayOn, str]:
    """Where a person goes on from here: to the page itself, or to where one begins."""
    path, status = request.url.path, problem.status_code or 500
    if status >= 500 and request.method == "GET":
        return "again", ""  # this very address
    if place == "courier":
        return "round", "/courier"
    own = _OWN_PAGE.match(path)
    if own and status != 404:
        return "parcel", own[0]
    return ("list", "/me") if path.startswith("/me") else ("find", "/")
