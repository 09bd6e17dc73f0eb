"""What a timer adopts is a whole file or the one before."""

import os
from pathlib import Path

import pytest

from parcelwall.errors import Trouble
from parcelwall.planning import at_hub, commands
from parcelwall.planning.report import Report
from parcelwall.planning.whole_file import write_whole


def test_a_file_that_cannot_be_written_to_its_end_leaves_the_one_before(tmp_path: Path) -> None:
    file = tmp_path / "room.jsonl"
    write_whole(file, b"old\n")
    (tmp_path / "room.jsonl.new").mkdir()  # nothing can be written there, as on a full disk
    with pytest.raises(Trouble, match=r"room.jsonl cannot be written"):
        write_whole(file, b"new\n")
    assert file.read_bytes() == b"old\n"


def test_a_plan_is_put_in_the_place_of_the_one_before_and_never_written_into_it(tmp_path: Path) -> None:
    report = Report("A plan")
    _, data = report.write(tmp_path, {"a": 1})
    os.link(data, tmp_path / "being_read.json")  # whoever opened it goes on reading this one
    report.write(tmp_path, {"a": 2})
    assert b"1" in (tmp_path / "being_read.json").read_bytes() and b"2" in data.read_bytes()


def test_a_folder_that_is_not_there_is_told_before_anything_is_learnt(tmp_path: Path) -> None:
    asked: list[str] = []
    at_hub.reach_hubs_by(lambda data, url, act: asked.append("hub"))
    with pytest.raises(Trouble, match="cannot be written: No such file"):
        commands.room(None, None, tmp_path / "nowhere" / "room.jsonl", tmp_path / "learnt.gz", False)
    assert asked == []


def test_a_plan_that_could_not_be_written_is_refused_before_it_is_made_and_leaves_no_folder(tmp_path: Path) -> None:
    """`plan mix` simulated for minutes and told at the end that its report could not be written."""
    (tmp_path / "file").touch()
    with pytest.raises(Trouble, match="cannot be written to"):
        commands._tell(lambda tick: pytest.fail("it was made"), tmp_path / "file" / "plan", False)
    with pytest.raises(Trouble, match="cannot be made"):
        commands._tell(no_plan, tmp_path / "new" / "plan", False)
    assert not (tmp_path / "new").exists()


def no_plan(tick: object) -> tuple[Report, dict[str, int]]:
    raise Trouble("cannot be made")
