"""Turns view objects into pages: templates, words, icons, codes to scan, files with their hashes.

`Renderer(words).page(view, look)` is a whole page, `.fragment(view, look)` is what its stream sends: a `<title>` and
the inside of `#live`, the whole state each time. Nothing here knows a rule, a clock or a server.
"""

import gettext
import hashlib
import mimetypes
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec
import segno
from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton, format_timedelta, get_timezone_gmt
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from parcelwall.notices.language import languages
from parcelwall.notices.times import is_repeated
from parcelwall.web.views import KioskScreen, Look, template_of

HERE = Path(__file__).parent
STATIC, TEMPLATES = HERE / "static", HERE / "templates"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""For every page; a page that holds a code must not be stored by anything between (faces.md 3.4)."""
OF_PICTURES = HEADERS | {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
"""For what somebody has uploaded: opened by itself it is shut off from everything, whatever else it may be read as."""
STATIC_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
OF_ANOTHER_BUILD = {**STATIC_HEADERS, "Cache-Control": "no-store"}
"""Under an address that names another build: good for now, and kept by nobody."""
BUILD = re.compile("[0-9a-f]{12}")
STREAM_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""For streams, which must not be compressed; a comment line every 15 s keeps them open (faces.md 3.3)."""

# A served file that is made of others, in order. Fewer requests without a build step: they are joined at the start.
BUNDLES = {
    "phone.css": ("css/tokens.css", "css/base.css", "css/cabinet.css", "css/phone.css", "css/own.css", "css/map.css",
                  "css/narrow.css"),
    "kiosk.css": ("css/tokens.css", "css/base.css", "css/cabinet.css", "css/kiosk.css", "css/kiosk-parts.css",
                  "css/kiosk-look.css"),
    "kiosk-more.css": ("css/kiosk-courier.css",),  # fetched a moment later, with its script
    "courier.css": ("css/tokens.css", "css/base.css", "css/cabinet.css", "css/phone.css", "css/map.css",
                    "css/courier.css", "css/narrow.css"),
    "courier.js": ("courier/codes.js", "courier/outbox.js", "courier/phone.js", "shrink.js", "courier/camera.js",
                   "courier/pages.js", "draft.js"),
    "own.js": ("htmx.min.js", "hx-sse.min.js", "beat.js", "share.js", "app.js", "old.js"),
    "passkey.js": ("passkey.js",),
    "share.js": ("share.js",),
    "hours.js": ("hours.js",),
    "photo.js": ("shrink.js", "photo.js"),
    "console.css": ("css/tokens.css", "css/base.css", "css/cabinet.css", "css/map.css", "css/console.css",
                    "css/desk.css", "css/desk-needs.css", "css/desk-parts.css", "css/desk-acts.css", "css/charts.css",
                    "css/hours.css", "css/wall.css"),
    "demo.css": ("css/tokens.css", "css/base.css", "css/cabinet.css", "css/map.css", "css/console.css", "css/desk.css",
                 "css/desk-needs.css", "css/desk-parts.css", "css/town.css"),
    "console.js": ("htmx.min.js", "hx-sse.min.js", "beat.js", "console.js", "pick.js", "chime.js", "draft.js",
                   "passkey.js"),
    "live.js": ("htmx.min.js", "hx-sse.min.js", "beat.js", "old.js"),
    "kiosk.js": ("htmx.min.js", "hx-sse.min.js", "beat.js", "pad.js"),
    "kiosk-more.js": ("voice.js", "road.js", "letters.js"),
}
SHEETS = {"tracking": "phone", "recipient": "phone", "courier": "courier", "kiosk": "kiosk", "console": "console",
          "demo": "demo"}
SCRIPTS = {"recipient": "own.js", "kiosk": "kiosk.js", "console": "console.js"}  # else live.js with a stream
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


class Words(Protocol):
    """One language's catalogue, as `gettext.NullTranslations` has it."""

    def gettext(self, message: str) -> str: ...

    def ngettext(self, singular: str, plural: str, n: int) -> str: ...


def no_words(language: str) -> Words:
    """The texts as they stand in the templates: English."""
    return gettext.NullTranslations()


SCRIPT = "text/javascript; charset=utf-8"
KINDS = {".woff2": "font/woff2", ".js": SCRIPT, ".mjs": SCRIPT, ".css": "text/css; charset=utf-8",
         ".wasm": "application/wasm"}  # fmt: skip


class Files:
    """The static files, read once. One hash stands for all of them, so that files may name each other relatively."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder
        self._bytes = dict(self._read())
        self.worker = _lean("sw.js", (folder / "sw.js").read_bytes()).decode()
        joined = b"".join(name.encode() + data for name, data in sorted(self._bytes.items()))
        self.build = hashlib.sha256(joined).hexdigest()[:12]

    def _read(self) -> Iterator[tuple[str, bytes]]:
        for name, parts in BUNDLES.items():
            yield name, b"\n".join(_lean(part, (self._folder / part).read_bytes()) for part in parts)
        for kind in ("fonts/*.woff2", "*.svg", "*.png", "map/NOTICE", "scan/*", "street/*.*js"):
            for path in self._folder.glob(kind):
                yield path.relative_to(self._folder).as_posix(), path.read_bytes()

    def url(self, name: str) -> str:
        assert name in self._bytes, f"no static file {name!r}"
        return f"/static/{self.build}/{name}"

    def get(self, build: str, name: str) -> tuple[bytes, str] | None:
        """Content and type of `/static/{build}/{name}`, None when there is no such file. A page of another build, whose
        process is gone or stands beside this one during an update, has the file of this one."""
        if name not in self._bytes or not BUILD.fullmatch(build):
            return None
        return self._bytes[name], _content_type(name)


def _lean(name: str, data: bytes) -> bytes:
    """Our own sheets and scripts without their comments and indents; the files of others as they are."""
    text = data.decode()
    if name.endswith(".css"):
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        return re.sub(r"\s*\n\s*", "", text).replace(": ", ":").replace(" {", "{").replace(";}", "}").encode()
    if name.endswith(".js") and not name.endswith(".min.js"):
        return re.sub(r"^\s*(//.*)?\n?", "", text, flags=re.MULTILINE).encode()
    return data


def _content_type(name: str) -> str:
    return KINDS.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "text/plain; charset=utf-8"


class Renderer:
    """Pages and fragments in any language. `words(language)` gives the catalogue; one renderer serves all requests."""

    def __init__(self, words: Callable[[str], Words] = no_words, files: Files | None = None) -> None:
        self._words = words
        self._files = files or Files()
        self._environments: dict[str, Environment] = {}

    @property
    def build(self) -> str:
        """Hash of the static files, which a kiosk page posts with its heartbeat."""
        return self._files.build

    def page(self, view: msgspec.Struct, look: Look | None = None) -> str:
        """A whole page. A kiosk screen brings its own look; elsewhere `look` is the reader's."""
        return self._render(view, look, "shell/page.html")

    def fragment(self, view: msgspec.Struct, look: Look | None = None) -> str:
        """What the page's stream sends as an unnamed event: a title and the inside of `#live`."""
        return self._render(view, look, "shell/part.html")

    def asset(self, name: str) -> str:
        """The address of a static file."""
        return self._files.url(name)

    @property
    def worker(self) -> str:
        """The service worker as it is written; `web/offline.py` fills in what it keeps."""
        return self._files.worker

    def static_file(self, build: str, name: str) -> tuple[bytes, str] | None:
        return self._files.get(build, name)

    def _render(self, view: msgspec.Struct, look: Look | None, shell: str) -> str:
        look = look or getattr(view, "look", None) or Look()
        name = template_of(view)
        template = self._environment(look.language).get_template(name)
        direction = "rtl" if look.language[:2] in RIGHT_TO_LEFT else "ltr"
        sheet = SHEETS[name.split("/")[0]]
        events = stream_of(view)
        script = SCRIPTS.get(name.split("/")[0], "live.js" if events else "")
        return template.render(
            view=view, look=look, shell=shell, sheet=sheet, direction=direction, events=events, script=script
        )

    def _environment(self, language: str) -> Environment:
        """One for each catalogue. The region is the `look`'s alone: readers name as many tags as they like."""
        found = self._words(language)
        code: str = getattr(found, "language", language)
        if code not in self._environments:
            self._environments[code] = self._make(found)
        return self._environments[code]

    def _make(self, words: Words) -> Environment:
        made = Environment(
            loader=FileSystemLoader(TEMPLATES), extensions=["jinja2.ext.i18n"], autoescape=True,
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        made.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
        made.globals.update(asset=self._files.url, icon=icon, build=self._files.build, languages=languages())
        made.filters.update(FILTERS, qr=qr, linked=linked, unbroken=unbroken)
        return made


def stream_of(view: msgspec.Struct) -> str | None:
    """Path of the page's stream, None for a page that stands still."""
    if isinstance(view, KioskScreen):
        return f"{view.base}/screen/events"
    return getattr(view, "events", None)


_icons: dict[str, str] = {}


def icon(name: str, flips: bool = False) -> Markup:
    """A Phosphor bold icon to stand before words, hidden from speech. `flips` in right-to-left languages."""
    if name not in _icons:
        drawn = (STATIC / "icons" / f"{name}.svg").read_text()
        _icons[name] = drawn[drawn.index(">") + 1 : drawn.rindex("</svg>")]
    kind = "icon flips" if flips else "icon"
    open_tag = f'<svg class="{kind}" viewBox="0 0 256 256" aria-hidden="true">'
    return Markup(open_tag + _icons[name] + "</svg>")  # noqa: S704 - our own files


def qr(token: str) -> Markup:
    """A QR code as inline SVG: black on white in every theme, four modules of quiet round it, level M."""
    code = segno.make(token, error="m", micro=False)
    drawn = code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None)
    return Markup(drawn)  # noqa: S704 - modules only, the token is not in it


def qr_file(token: str) -> bytes:
    """The same as a file of its own, for an <img>."""
    return str(qr(token)).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).encode()


def unbroken(number: str) -> Markup:
    """A number that stands in a sentence and is never parted at its hyphen."""
    return Markup('<span class="figures">{}</span>').format(number)


def linked(text: str) -> Markup:
    """Plain text with its web addresses made into links, for a mail that is shown in the demo."""
    parts = re.split(r"(https?://[^\s<>\"]+[^\s<>\".,;:)])", text)
    return Markup("").join(_link(part) if part.startswith("http") else escape(part) for part in parts)


def _link(address: str) -> Markup:
    return Markup('<a href="{0}">{0}</a>').format(address)


# Times: in the reader's language and the station's zone, with the weekday ------------------------------------------

FALLBACK = "en_GB"
HOME_OF = {"en": FALLBACK, "pt": "pt_PT"}  # what a bare language means: days before months, 24 hours


def locale_of(language: str) -> Locale:
    """The locale of a language tag; a language that Babel does not know reads like English."""
    try:
        return Locale.parse(HOME_OF.get(language, language.replace("-", "_")))
    except (ValueError, UnknownLocaleError):
        return Locale.parse(FALLBACK)


def moment(when: datetime, look: Look) -> str:
    """`Tue 10:30`, or `Tue 10:30 AM` where the region says so, as sentences and mails do; in the hour that autumn
    repeats with the offset: `Sun 02:30 GMT+02:00`"""
    return _skeleton("EHm", when, look)


def day(when: datetime | date, look: Look) -> str:
    """`Tue, 24 Nov`"""
    on = when.astimezone(ZoneInfo(look.zone)).date() if isinstance(when, datetime) else when
    return format_skeleton("MMMEd", on, locale=locale_of(look.language))


def long_day(when: datetime | date, look: Look) -> str:
    """`Tuesday 24 November`, for a heading."""
    on = when.astimezone(ZoneInfo(look.zone)).date() if isinstance(when, datetime) else when
    return format_skeleton("MMMMEEEEd", on, locale=locale_of(look.language))


def full(when: datetime, look: Look) -> str:
    """`Tue, 24 Nov, 10:30`"""
    pattern = str(locale_of(look.language).datetime_formats["medium"])
    return pattern.format(clock(when, look), day(when, look))


def dated(when: datetime, look: Look) -> str:
    """`Tue, 24 Nov 2026, 10:30`, on what is kept for years"""
    locale = locale_of(look.language)
    on = format_skeleton("yMMMEd", when.astimezone(ZoneInfo(look.zone)).date(), locale=locale)
    return str(locale.datetime_formats["medium"]).format(clock(when, look), on)


def clock(when: datetime, look: Look) -> str:
    """`10:30`, or `10:30 AM`"""
    return _skeleton("Hm", when, look)


def clock_seconds(when: datetime, look: Look) -> str:
    """`10:30:05`"""
    return _skeleton("Hms", when, look)


def duration(seconds: int, look: Look) -> str:
    """`41 hours`: the largest unit of which there are two or more."""
    return format_timedelta(timedelta(seconds=seconds), threshold=2, locale=locale_of(look.language))


def _skeleton(skeleton: str, when: datetime, look: Look) -> str:
    locale = locale_of(look.language)
    if "a" in str(locale.time_formats["short"].pattern):  # a region of twelve hours
        skeleton = skeleton.replace("H", "h")
    local = when.astimezone(ZoneInfo(look.zone))
    shown = format_skeleton(skeleton, local, tzinfo=ZoneInfo(look.zone), locale=locale)
    shown = shown.replace("\u202f", " ")  # a space that our fonts do not have
    return f"{shown} {get_timezone_gmt(local, locale=locale)}" if is_repeated(local) else shown


def _filter(shown: Callable[[Any, Look], str]) -> Callable[[Context, Any], str]:
    @pass_context
    def apply(context: Context, value: Any) -> str:
        return shown(value, context["look"])

    return apply


SHOWN: dict[str, Callable[[Any, Look], str]] = {
    "moment": moment, "day": day, "long_day": long_day, "full": full, "dated": dated, "clock": clock,
    "clock_seconds": clock_seconds, "duration": duration,
}  # fmt: skip
FILTERS = {name: _filter(shown) for name, shown in SHOWN.items()}
