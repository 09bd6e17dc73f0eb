"""What ended a command, and what a log says of a failure that nobody thought of."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog

from parcelwall.__main__ import log_to, tell
from parcelwall.errors import Refusal, Trouble


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    before = structlog.get_config()
    log_to(file := io.StringIO())  # type: ignore[arg-type]
    yield file
    structlog.configure(**before)


def fail(word: str) -> None:
    raise KeyError(word)


def test_a_log_says_where_a_failure_was_and_never_its_words(lines: io.StringIO) -> None:
    try:
        fail("ada@example.org")
    except KeyError:
        structlog.get_logger().exception("job_fails", job="sweeps")
    said = json.loads(lines.getvalue())
    assert said["event"] == "job_fails" and said["exception"][-1] == "KeyError"
    assert said["exception"][-2].endswith(" fail") and "test_told.py:" in said["exception"][-2]
    assert "ada@" not in lines.getvalue()


def test_a_group_of_failures_is_told_one_by_one_with_what_came_before(lines: io.StringIO) -> None:
    try:
        try:
            fail("x")
        except KeyError as no:
            raise ExceptionGroup("both", [ValueError("y"), Trouble("z")]) from no
    except ExceptionGroup:
        structlog.get_logger().warning("telling_waits", exc_info=True)
    kinds = [each for each in json.loads(lines.getvalue())["exception"] if " " not in each]
    assert kinds == ["KeyError", "ExceptionGroup", "ValueError", "Trouble"]


def test_an_expected_no_is_a_sentence_also_out_of_a_group(capfd: pytest.CaptureFixture[str]) -> None:
    tell(ExceptionGroup("tasks", [Trouble("The supply is unknown."), Refusal("claim_unknown")]))
    said = capfd.readouterr().err
    assert "The supply is unknown." in said and "claim_unknown: This claim code" in said and "Traceback" not in said


def test_a_fault_has_its_traceback_and_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    try:
        fail("x")
    except KeyError as no:
        tell(no)
    said = capfd.readouterr().err
    assert "in fail" in said and said.rstrip().endswith("what you did.") and "fault of Parcelwall (KeyError)" in said


def test_a_mistyped_variable_ends_the_start() -> None:
    mistyped = {"PATH": "/usr/bin", "PYTHONPATH": ":".join(sys.path), "PARCELWALL_SMTP_HOTS": "mail.example.org"}
    for words in (["hub", "--data", "/proc/no"], ["admit", "acme"]):
        command = [sys.executable, "-m", "parcelwall", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=50, env=mistyped)
        assert done.returncode == 1 and "Did you mean `PARCELWALL_SMTP_HOST`?" in done.stderr
