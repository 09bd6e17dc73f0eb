"""What the console's page of sites and permits shows."""

from datetime import date
from typing import ClassVar

import msgspec

from parcelwall.hub.site_papers import Paper
from parcelwall.hub.sites import Site
from parcelwall.web.console.views import Top


class SiteRow(msgspec.Struct, frozen=True):
    station: str
    name: str
    site: Site | None
    days_left: int | None
    by: str = ""
    may_note: bool = False
    photo: str = ""


class SitesView(msgspec.Struct, frozen=True):
    template: ClassVar[str] = "console/sites.html"
    top: Top
    rows: tuple[SiteRow, ...]
    chosen: SiteRow | None
    history: tuple[tuple[Site, str], ...]
    today: date
    events: str | None = None
    papers: tuple[Paper, ...] = ()
    may_fetch: bool = False
    """The papers of the permit may be downloaded by whoever looks."""
