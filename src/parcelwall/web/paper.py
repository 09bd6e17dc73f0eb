"""Draws a paper: one page of PDF. A program of its own that ends after each paper, since typst keeps what it drew for
as long as its process lives: 1,500 receipts in a hub's process were 320 MB (2026-11-28).

It reads what the paper says as JSON and writes the PDF; no other module of ours is loaded, so that it takes 70 ms.
"""

import subprocess
import sys
from pathlib import Path
from typing import Literal

HERE = Path(__file__).parent
PAPER, FONTS = HERE / "templates" / "recipient" / "receipt.typ", HERE / "static" / "fonts"
MOST_S = 20.0


def drawn(told: bytes) -> bytes:
    """The PDF, tagged so that it can be read aloud. `told` is the JSON of a `Receipt`: data, nothing of it is read as
    markup. Blocks until the program has ended. Raises subprocess.SubprocessError."""
    command = [sys.executable, "-I", __file__]
    return subprocess.run(command, input=told, capture_output=True, check=True, timeout=MOST_S).stdout


def _draw(told: str) -> bytes:
    """In our Arabic, and the library's fonts for all else; none of the machine's own, so that papers are alike. A
    letter that none of them has is a box, which PDF/UA does not allow."""
    import typst

    try:
        return _compiled(told, "ua-1")
    except typst.TypstError:
        return _compiled(told, None)


def _compiled(told: str, standard: Literal["ua-1"] | None) -> bytes:
    import typst

    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[FONTS])
    made = typst.compile(
        PAPER.read_bytes(), format="pdf", sys_inputs={"told": told}, font_paths=fonts, pdf_standards=standard
    )
    assert isinstance(made, bytes)
    return made


if __name__ == "__main__":
    sys.stdout.buffer.write(_draw(sys.stdin.buffer.read().decode()))
