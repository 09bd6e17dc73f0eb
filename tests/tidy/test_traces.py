"""Nothing in the repository tells of the machine it was written on, or where its packages were fetched from."""

import re
from pathlib import Path

import pytest

from tidy.source import place, shipped_files

# Written so that this file does not find itself.
TRACES = {
    "registry": re.compile(
        r"(pypi|pythonhosted|npmjs|yarnpkg)[.](org|com)|deb[.]debian[.]org|--(extra-)?index-[u]rl", re.IGNORECASE
    ),
    # /home/web_user is the pretend home that Emscripten writes into every program it makes
    "path of a machine": re.compile(
        r"(?<![\w.~$}])/(work|root|home|Users)/(?!web_user)\w|/opt/(pypi|wheels)\b|\bfile://[/]|[A-Z]:\\Users"
    ),
    "workshop": re.compile(r"farm-(studio|bench)|(?<![\w*])[.]library\b"),
}
# What each trace has in it, in small letters: looking for that first is twenty times as fast.
SIGNS = {
    "registry": ("pypi", "pythonhosted", "npmjs", "yarnpkg", "deb.debian", "index-"),
    "path of a machine": ("/work", "/root", "/home", "/users", "/opt/", "file:", ":\\users"),
    "workshop": ("farm-", "library"),
}


def traces(text: str) -> list[str]:
    small = text.lower()
    kinds = [kind for kind, signs in SIGNS.items() if any(sign in small for sign in signs)]
    return [f"{kind}: {found[0]}" for kind in kinds for found in TRACES[kind].finditer(text)]


def read(path: Path) -> str:
    """The text of a file; of a picture or a font, what is text in it."""
    return path.read_bytes().decode("utf-8", errors="ignore")


def test_no_traces() -> None:
    files = shipped_files()
    assert len(files) > 50, "git lists the files: are we in a clone?"
    assert not {place(path): found for path in files if (found := traces(read(path)))}


@pytest.mark.parametrize(
    "text",
    [
        "see https://pypi" + ".org/simple",
        "https://registry.npmjs" + ".org/x",
        "--index" + "-url https://example.net",
        "/" + "home/anna/parcelwall",
        "/" + "work/main/src",
        "file:" + "///srv/wheels",
        "farm" + "-studio",
        "cat ." + "library/README",
    ],
)
def test_traces_can_be_found(text: str) -> None:
    assert traces(text)


def test_paths_of_the_product_pass() -> None:
    assert not traces("/var/lib/parcelwall, ~/.local/share/parcelwall, https://example.org/home/page, /root, /work")
