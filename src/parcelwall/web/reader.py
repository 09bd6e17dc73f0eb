"""The reader of a page: which language, and pages with the headers every page has."""

from typing import Any

import msgspec
from litestar import Request, Response
from litestar.response import Response as LitestarResponse

from parcelwall.notices.language import codes, words
from parcelwall.web.render import HEADERS, Renderer
from parcelwall.web.views import Look


def language_of(request: Request[Any, Any, Any]) -> str:
    """The best of the reader's languages that we have: `?lang=`, then Accept-Language in its order, then English."""
    wanted = request.query_params.get("lang") or request.headers.get("accept-language", "")
    for part in str(wanted).split(","):
        code = part.split(";")[0].strip()
        if code and code.replace("_", "-").split("-")[0].lower() in codes():
            return code
    return "en"


def look_of(request: Request[Any, Any, Any], zone: str = "UTC", language: str = "") -> Look:
    theme = request.query_params.get("theme")
    return Look(
        language=language or language_of(request), theme=theme if theme in ("day", "night") else "auto", zone=zone
    )  # type: ignore[arg-type]


def page(renderer: Renderer, view: msgspec.Struct, look: Look, status: int = 200) -> Response[str]:
    return LitestarResponse(renderer.page(view, look), status_code=status, media_type="text/html",
                            headers=HEADERS)  # fmt: skip


def renderer() -> Renderer:
    return Renderer(words)
