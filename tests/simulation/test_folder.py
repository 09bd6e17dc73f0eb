"""Two demos of one user at the same time take nothing from each other."""

import subprocess
import sys
from pathlib import Path

import pytest

from parcelwall.errors import Trouble
from parcelwall.simulation.folder import emptied, held


def test_a_second_demo_on_one_folder_is_told_so(tmp_path: Path) -> None:
    with held(tmp_path / "demo"), pytest.raises(Trouble, match="a demo runs on"), held(tmp_path / "demo"):
        pass
    with held(tmp_path / "demo"):
        pass


def test_two_runs_at_the_same_time_have_a_folder_each(tmp_path: Path) -> None:
    base = tmp_path / "demo-once"
    with emptied(base) as first:
        (first / "hub").mkdir()
        (first / "hub" / "book").write_text("what the first run has written")
        with emptied(base) as second, emptied(base) as third:
            assert {first, second, third} == {base, tmp_path / "demo-once-2", tmp_path / "demo-once-3"}
        assert (first / "hub" / "book").exists()


def test_what_an_earlier_run_left_is_gone(tmp_path: Path) -> None:
    with emptied(tmp_path / "demo-once") as own:
        (own / "hub").mkdir()
        (own / "clock").write_text("2026-11-27T12:00:00Z")
    with emptied(tmp_path / "demo-once") as own:
        assert [each.name for each in own.iterdir()] == ["lock"]


def test_the_command_says_that_a_demo_runs_there(tmp_path: Path) -> None:
    """Before it touches anything: what the other one has made is still there."""
    with held(tmp_path / "demo") as folder:
        (folder / "hub").mkdir()
        words = ("demo", "--once", "--data", str(folder))
        done = subprocess.run([sys.executable, "-m", "parcelwall", *words], capture_output=True, text=True, timeout=60)
        assert [each.name for each in sorted(folder.iterdir())] == ["hub", "lock"]
    assert done.returncode == 1 and "runs on" in done.stderr and "Traceback" not in done.stderr
