"""The reader of a page: which language, and pages with the headers every page has."""

import gzip
import re
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote

import brotli
import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.response import Response as LitestarResponse
from litestar.response.base import ASGIResponse

from parcelwall.errors import Refusal
from parcelwall.notices.language import codes, words
from parcelwall.web.render import HEADERS, OF_ANOTHER_BUILD, STATIC_HEADERS, Renderer
from parcelwall.web.views import Look

SMALL_BYTES, LARGE_BYTES = 500, 100_000  # not worth compressing; not worth the best
NONE_OF_IT = re.compile(r"q=0(\.0*)?")
LANGUAGE = "pw-language"  # the cookie of whoever has chosen one


def language_of(request: Request[Any, Any, Any]) -> str:
    """The best of the reader's languages that we have: the one that was chosen, then Accept-Language in its order, then
    English."""
    wanted = chosen_language(request) or request.headers.get("accept-language", "")
    for part in str(wanted).split(","):
        code = part.split(";")[0].strip()
        if code and code.replace("_", "-").split("-")[0].lower() in codes():
            return code
    return "en"


def chosen_language(request: Request[Any, Any, Any]) -> str:
    """What was chosen on this page (`?lang=`), or on one before in this browser; "" for nothing."""
    return str(request.query_params.get("lang") or request.cookies.get(LANGUAGE, ""))[:20]


def remembered(request: Request[Any, Any, Any], answer: Response[bytes]) -> Response[bytes]:
    """The page, and the language that was chosen on it is kept for this browser's next ones."""
    chosen = str(request.query_params.get("lang", ""))
    if chosen in codes():
        answer.set_cookie(speaks(chosen))
    return answer


def speaks(language: str) -> Cookie:
    """A language and nothing else, for a year; "" ends it."""
    lasts_s = 31_536_000 if language else 0
    return Cookie(LANGUAGE, value=language, path="/", httponly=True, samesite="lax", max_age=lasts_s)


def _known(tag: str) -> str:
    """The language as we know it: a region that nobody knows falls away, so that there are only so many."""
    code = tag.lower()
    return code if code in codes() else words(tag).tag


def look_of(request: Request[Any, Any, Any], zone: str = "UTC", language: str = "") -> Look:
    theme = request.query_params.get("theme")
    return Look(
        language=_known(language or language_of(request)), zone=zone,
        theme=theme if theme in ("day", "night") else "auto",
    )  # fmt: skip


class Packed(LitestarResponse[bytes]):
    """An answer that is sent compressed to whoever takes it. Streams are not: an event must leave at once."""

    ways: tuple[str, ...] = ("gzip",)  # the best first

    def pack(self, content: bytes, way: str) -> bytes:
        return gzip.compress(content, compresslevel=6, mtime=0)

    def to_asgi_response(self, app: Any, request: Request[Any, Any, Any], **given: Any) -> ASGIResponse:
        taken = _taken(request.headers.get("accept-encoding", ""))
        way = next((each for each in self.ways if each in taken), None)
        if len(self.content) > SMALL_BYTES and way:
            self.content = self.pack(self.content, way)
            self.headers["Content-Encoding"] = way
        self.headers["Vary"] = "Accept-Encoding, Accept-Language"
        return super().to_asgi_response(app, request, **given)


@lru_cache(maxsize=32)
def _taken(header: str) -> frozenset[str]:
    """The encodings that an Accept-Encoding takes: those with `q=0` are refused (RFC 9110, 12.5.3)."""
    parts = [[each.strip().lower() for each in part.split(";")] for part in header.split(",")]
    return frozenset(name for name, *more in parts if not any(NONE_OF_IT.fullmatch(each) for each in more))


class PackedFile(Packed):
    """A file of ours: the same for everybody, so it is compressed once, as far as it goes. Pages hold codes: they are
    never kept."""

    ways = ("br", "gzip")

    def pack(self, content: bytes, way: str) -> bytes:
        return _packed_once(content, way)


@lru_cache(maxsize=64)
def _packed_once(content: bytes, way: str) -> bytes:
    if way == "gzip":
        return gzip.compress(content, compresslevel=9, mtime=0)
    # The best of Brotli takes 4 s for a megabyte of map: a tenth of a second buys most of it.
    return brotli.compress(content, quality=11 if len(content) < LARGE_BYTES else 5)


def page(renderer: Renderer, view: msgspec.Struct, look: Look, status: int = 200) -> Response[bytes]:
    return html(renderer.page(view, look), status)


def html(text: str, status: int = 200) -> Response[bytes]:
    """A page with the headers that every page has."""
    return Packed(text.encode(), status_code=status, media_type="text/html", headers=dict(HEADERS))


def download(content: bytes, kind: str, name: str) -> Response[bytes]:
    """A file for this reader alone, to be kept by them and by nobody between. `name` may have any letters."""
    headers = {**HEADERS, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return Response(content, media_type=kind, headers=headers)


def file(renderer: Renderer, build: str, name: str) -> Response[bytes]:
    """A static file, kept for ever by the browser: its address changes with its content. One that a page of another
    build asks for is kept by nobody. Raises Refusal."""
    found = renderer.static_file(build, name.lstrip("/"))
    if found is None:
        raise Refusal("not_found")
    kind = LitestarResponse if found[1].startswith(("font/", "image/png")) else PackedFile
    headers = STATIC_HEADERS if build == renderer.build else OF_ANOTHER_BUILD
    return kind(found[0], media_type=found[1], headers=dict(headers))


@cache
def renderer() -> Renderer:
    """One for all apps of a process: it keeps the files and the templates that it has read, and nothing of a page."""
    return Renderer(words)
