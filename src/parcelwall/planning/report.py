"""What a plan leaves behind: a page that a person reads and a file that a machine reads."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import msgspec
from jinja2 import Environment
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Chart

from parcelwall.errors import Trouble
from parcelwall.planning.whole_file import write_whole

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{ title }}</title>
<style>
  :root { color-scheme: light dark }
  body { font: 16px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto }
  caption { text-align: left; font-weight: 600; padding: .3rem 0 }
  th, td { padding: .25rem .75rem; border-bottom: 1px solid #8886; text-align: left }
  td:first-child { overflow-wrap: anywhere; min-width: 6rem }
  td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
  figure { margin: 1.5rem 0; background: #fff; color: #111; padding: .5rem; border-radius: .5rem }
  figure svg { max-width: 100%; height: auto } figcaption { padding: .3rem .5rem }
</style>
<h1>{{ title }}</h1>
{% for part in parts %}{{ part }}
{% endfor %}</html>
"""
_TABLE = """<table><caption>{{ caption }}</caption><thead><tr>
{% for word in head %}<th{% if not loop.first %} class="n"{% endif %}>{{ word }}</th>{% endfor %}</tr></thead><tbody>
{% for row in rows %}<tr>{% for cell in row %}<td{% if not loop.first %} class="n"{% endif %}>{{ cell }}</td>
{% endfor %}</tr>{% endfor %}</tbody></table>"""
_html = Environment(autoescape=True)
INK, LIGHT = "#1f3a5f", "#e08a00"
matplotlib.rcParams["text.parse_math"] = False  # a name with a $ is a name, and no formula


class Report:
    """A page in the making: paragraphs, tables and charts one after another."""

    def __init__(self, title: str) -> None:
        self.title, self.summary = title, ""
        self._parts: list[Markup] = []

    def head(self, text: str) -> None:
        self._parts.append(Markup("<h2>{}</h2>").format(text))

    def say(self, text: str) -> None:
        """A paragraph. The first is what the command line says, too."""
        self.summary = self.summary or text
        self._parts.append(Markup("<p>{}</p>").format(text))

    def then(self, text: str) -> None:
        """What whoever has read the page does next."""
        self.head("What next")
        self.say(text)

    def table(self, caption: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """The first column names the row; numbers stand to the right. Without a row it says that there is none."""
        if not rows:
            self.say(f"{caption}: nothing to tell yet.")
            return
        told = [[_told(each) for each in row] for row in rows]
        self._parts.append(Markup(_html.from_string(_TABLE).render(caption=caption, head=head, rows=told)))  # noqa: S704

    def chart(self, chart: Chart, caption: str) -> None:
        """`caption` says what the picture shows, for those who do not see it, too."""
        text = io.StringIO()
        FigureCanvasSVG(chart).print_svg(text, metadata={"Date": None, "Creator": None})
        svg = text.getvalue()
        picture = Markup(svg[svg.index("<svg") :])  # noqa: S704
        self._parts.append(Markup('<figure role="img" aria-label="{}">{}<figcaption>{}</figcaption></figure>').format(
            caption, picture, caption))  # fmt: skip

    def write(self, folder: Path, plan: Any) -> tuple[Path, Path]:
        """Writes report.html and plan.json into the folder, which is made. Raises Trouble if it cannot."""
        page = _html.from_string(_PAGE).render(title=self.title, parts=self._parts)
        report, data = folder / "report.html", folder / "plan.json"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Trouble(f"the report cannot be written to {folder}: {error.strerror}") from error
        write_whole(report, page.encode())
        write_whole(data, msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n")
        return report, data


def a_chart(width: float = 8.0, height: float = 4.0) -> Chart:
    """An empty chart, inches wide and high."""
    return Chart(figsize=(width, height), layout="constrained")


def _told(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 or value.is_integer() else f"{value:,.2f}"
    return str(value)
