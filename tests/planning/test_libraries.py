"""Without the extra `planning` its commands end in a sentence that says what to install."""

import subprocess
import sys
from pathlib import Path

import pytest

from parcelwall.errors import Trouble
from parcelwall.planning.libraries import told

WITHOUT = """
import sys
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {library!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Gone())
from parcelwall.__main__ import main
sys.argv = ["parcelwall", *{words!r}.split()]
main()
"""


@pytest.mark.parametrize(("library", "words"), [
    ("highspy", "plan site {file} --open 1"), ("pyvrp", "plan rounds {file}"), ("lightgbm", "plan forecast {file}"),
    ("matplotlib", "plan mix {file}"), ("numpy", "plan admission {file}"), ("scipy", "bench allocation {file}"),
])  # fmt: skip
def test_a_library_that_is_not_there_is_named_with_what_to_do(library: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_text("lat,lon\n60,25\n")
    script = WITHOUT.format(library=library, words=words.format(file=file))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
    told = " ".join(done.stderr.split())
    assert done.returncode == 1 and f"needs {library}, a library of the extra `planning`: script/setup" in told
    assert "Traceback" not in told and "fault of Parcelwall" not in told


def test_a_module_of_our_own_that_is_not_there_is_a_fault_of_ours() -> None:
    ours = ModuleNotFoundError(name="parcelwall.planning.nowhere")
    assert told(ours) is ours
    assert isinstance(told(ModuleNotFoundError(name="pyvrp.search")), Trouble)
