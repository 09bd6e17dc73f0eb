"""The recipient's pages without a network: an app that can be put on a phone, and a worker that keeps opened pages.

A page says itself whether it may be kept (`X-Parcelwall-Keep`); one that has become pointless is dropped at the next
look. Signing out clears what was kept of the account; what a courier's phone has noted in the same browser is not the
recipient's to clear.
"""

import hashlib
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get

from parcelwall.web.reader import Packed
from parcelwall.web.render import HEADERS, Renderer

KEEP = "X-Parcelwall-Keep"
CLEAR = {"Clear-Site-Data": '"cache"'}  # not "storage", where a courier's outbox is: our own script clears our pages
OF_THE_SHELL = ("phone.css", "own.js", "passkey.js", "fonts/next-latin.woff2", "fonts/mono.woff2")


def owner_of(account: UUID | None) -> str:
    """How a page names its account to the worker, without telling which it is."""
    return hashlib.sha256(b"parcelwall/owner/1\x00" + account.bytes).hexdigest()[:16] if account else "link"


def kept_offline(page: Response[bytes], owner: str) -> Response[bytes]:
    """Says whose page it is: of an account, of whoever holds its "link", or of nobody any more ("")."""
    page.headers[KEEP] = owner or "no"
    return page


@get("/sw.js", include_in_schema=False)
async def worker(renderer: Renderer) -> Response[bytes]:
    """The worker, which names the files of this build: another build is another worker, and browsers notice."""
    shell = msgspec.json.encode([renderer.asset(name) for name in OF_THE_SHELL]).decode()
    text = renderer.worker.replace("{build}", renderer.build).replace('"{shell}"', shell)
    headers = {**HEADERS, "Cache-Control": "no-cache"}
    return Packed(text.encode(), media_type="text/javascript; charset=utf-8", headers=headers)


@get("/me.webmanifest", include_in_schema=False)
async def manifest(renderer: Renderer) -> Response[bytes]:
    """What a phone shows of the app among its others."""
    icons = [
        {"src": renderer.asset(f"app-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for size in (192, 512) for purpose in ("any", "maskable")
    ]  # fmt: skip
    about: dict[str, Any] = {
        "name": "Parcelwall", "short_name": "Parcelwall", "id": "/me", "start_url": "/me", "scope": "/",
        "display": "standalone", "background_color": "#FBFAF5", "theme_color": "#FBFAF5", "icons": icons,
    }  # fmt: skip
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    return Packed(msgspec.json.encode(about), media_type="application/manifest+json", headers=headers)
