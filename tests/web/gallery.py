"""Shows the sample views to a browser: a small loopback server with the real headers, files and first stream events."""

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from parcelwall.notices.language import words as language_words
from parcelwall.web.render import HEADERS, STATIC_HEADERS, STREAM_HEADERS, Renderer, Words, qr_file
from parcelwall.web.streams import STILL_TRUE
from parcelwall.web.views import KioskScreen, Look
from web import samples

# The same engine without the browser around it, which a headless one would run, too: a third less CPU. Its letters are
# as wide as a browser's when they are not hinted.
CHROMIUM = {
    "executable_path": "/usr/bin/chromium-headless-shell",
    "args": ["--no-sandbox", "--disable-background-networking", "--disable-component-update",
             "--font-render-hinting=none"],
}  # fmt: skip
MARKED = str.maketrans("aeiouyAEIOUcnsz", "áéíöúýÁÉÍÖÚçñšž")


class LongWords:
    """A pseudo-language: marks on the letters and two fifths more of them; placeholders stay."""

    def gettext(self, message: str) -> str:
        parts = re.split(r"(%\(\w+\)s|\{\w+\})", message)
        marked = "".join(part if at % 2 else part.translate(MARKED) for at, part in enumerate(parts))
        end = "." if marked.endswith(".") else ""
        return marked.removesuffix(end) + " " + "ööm ipsú lörem"[: max(2, len(message) * 2 // 5)].strip() + end

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return self.gettext(singular if n == 1 else plural)


def words_of(language: str) -> Words:
    return LongWords() if language == "en-x-long" else language_words(language)


class Gallery:
    """Views by name, as pages and as first events of streams, in any look."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files = files or {}  # scripts that a test brings
        self.renderer = Renderer(words_of)
        self.posted: list[tuple[str, str]] = []
        self.closed = self.signed_out = False
        self.crowded_s = 0.0  # after which a page is to ask again, where it finds no seat
        self.asked_at: dict[str, list[float]] = {}  # when each of these asked, by name, by the clock that only goes on
        self.streams = self.words = 0  # how many were opened; how often they were told that all is as it stands
        self.news = threading.Condition()
        self.changed: dict[str, msgspec.Struct] = {}  # what a test has put in a sample's place

    def change(self, name: str, view: msgspec.Struct) -> None:
        """From now on this is shown under the name, also by the streams that are open."""
        with self.news:
            self.changed[name] = view
            self.news.notify_all()

    def still_true(self) -> None:
        """Open streams say that all is as it stands, as the hub does each few seconds."""
        with self.news:
            self.words += 1
            self.news.notify_all()

    def sign_out(self) -> None:
        """Open streams end, and from now on a stream is answered 401."""
        with self.news:
            self.signed_out = True
            self.news.notify_all()

    def close(self) -> None:
        with self.news:
            self.closed = True
            self.news.notify_all()

    def view(self, name: str, look: Look) -> msgspec.Struct:
        """The sample with its stream at /k/{name}/{look}, so that the first event shows the same look again."""
        view = self.changed.get(name) or samples.all_views(words_of(look.language))[name]
        stream = f"/k/{name}/{msgspec.json.encode(look).hex()}"
        if isinstance(view, KioskScreen):
            kept = msgspec.structs.replace(look, theme="night" if look.theme == "night" else "day")
            return msgspec.structs.replace(view, look=kept, base=stream)
        if getattr(view, "events", None):
            return msgspec.structs.replace(view, events=f"{stream}/events")
        return view

    def page(self, name: str, look: Look) -> str:
        return self.renderer.page(self.view(name, look), look)

    def events(self, name: str, look: Look) -> Iterator[bytes]:
        """The view as it is, then again whenever a test changes it."""
        over = lambda: self.closed or self.signed_out  # noqa: E731
        if self.crowded_s:
            self.asked_at.setdefault(name, []).append(time.monotonic())
            yield f"retry: {self.crowded_s * 1000:.0f}\n".encode() + self.event(name, look)
            return
        self.streams += 1
        while not over():
            with self.news:
                shown, told = self.changed.get(name), self.words
            yield self.event(name, look)
            is_news = lambda: over() or self.changed.get(name) is not shown  # noqa: B023, E731 - at once
            while not is_news():
                with self.news:
                    self.news.wait_for(lambda: is_news() or self.words > told)  # noqa: B023 - at once
                    is_word, told = self.words > told, self.words
                if is_word and not is_news():
                    yield STILL_TRUE

    def event(self, name: str, look: Look) -> bytes:
        lines = self.renderer.fragment(self.view(name, look), look).splitlines()
        return ("id: 7\n" + "".join(f"data: {line}\n" for line in lines) + "\n").encode()


PHOTO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 12"><path fill="gray" d="M0 0h16v12H0z"/></svg>'


def look_from(query: dict[str, list[str]]) -> Look:
    return msgspec.convert({key: value[0] for key, value in query.items()}, Look, strict=False)


def handler_for(gallery: Gallery) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            first, *rest = url.path.strip("/").split("/")
            if first in gallery.files:
                return self.answer(gallery.files[first], "text/javascript", STATIC_HEADERS)
            if first == "static":
                found = gallery.renderer.static_file(rest[0], "/".join(rest[1:]))
                return self.answer(*(found or (b"", "text/plain")), STATIC_HEADERS, 200 if found else 404)
            if first == "photos":
                return self.answer(PHOTO, "image/svg+xml", {})
            if "road" in rest:
                return self.answer(qr_file("PWB:" + "X" * 612), "image/svg+xml", {})
            if first in ("sw.js", "me.webmanifest"):  # tests/acceptance has the real ones
                return self.answer(b"{}", "text/javascript" if first == "sw.js" else "application/json", {})
            if first == "k":
                return self.stream(rest[0], msgspec.json.decode(bytes.fromhex(rest[1]), type=Look))
            if first == "courier":  # the worker that would keep pages, and what else a phone asks by itself
                return self.answer(b"", "text/javascript", {"Service-Worker-Allowed": "/courier"})
            page = gallery.page(first, look_from(parse_qs(url.query)))
            return self.answer(page.encode(), "text/html; charset=utf-8", HEADERS)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            gallery.posted.append((self.path, body))
            self.answer(b"", "text/plain", {}, 204)

        def answer(self, body: bytes, kind: str, headers: dict[str, str], status: int = 200) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Type": kind, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def stream(self, name: str, look: Look) -> None:
            self.send_response(401 if gallery.signed_out else 200)
            for header, value in STREAM_HEADERS.items():
                self.send_header(header, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the page was left
                for event in gallery.events(name, look):
                    self.wfile.write(event)
                    self.wfile.flush()

    return Handler


@contextlib.contextmanager
def served(gallery: Gallery) -> Iterator[str]:
    """The gallery's address while it is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(gallery))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        gallery.close()
        server.shutdown()
