"""`plan admission`: figures for every rule, the default stays, promises beyond compartments only at a stated risk."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from parcelwall.errors import Trouble
from parcelwall.planning.admission_plan import Wish, overbook, plan


@given(st.integers(1, 80), st.floats(0.001, 0.3) | st.floats(0.9, 0.99999), st.floats(0.001, 0.2))
def test_overbooking_keeps_its_risk_and_no_more_would(compartments: int, no_show: float, risk: float) -> None:
    more = overbook(compartments, no_show, risk)
    assert binom.sf(compartments, compartments + more, 1 - no_show) <= risk
    assert binom.sf(compartments, compartments + more + 1, 1 - no_show) > risk


def test_who_always_comes_is_never_overbooked() -> None:
    assert overbook(52, 0.0, 0.05) == 0


def test_nearly_nobody_comes_and_the_answer_comes_all_the_same() -> None:
    assert 29_000_000 < overbook(52, 0.999999, 0.0001) < 52_000_000


def test_a_file_makes_a_report_that_names_whom_each_rule_refuses(tmp_path: Path) -> None:
    file = tmp_path / "parcels.csv"
    rows = ["DateR,DateE,DateD,DateP,Carrier"]
    for day in range(60):
        on = f"2025-{1 + day // 28:02}-{1 + day % 28:02}"
        rows += [f",,{on} 10:{k:02}:00,{on} {15 + k % 8}:00:00,A" for k in range(20)]
    file.write_text("\n".join([*rows, ",,2025-01-01 10:00:00,NaN,A"]), encoding="utf-8")
    report, found = plan(file, Wish(compartments=(6, 5, 2), rounds=1), lambda _: None)
    page, data = report.write(tmp_path / "out", found)
    assert found.rule == "best fit" and found.rules["best fit"]["served"] > found.rules["largest first"]["served"]
    assert {"served", "refused S", "refused M", "refused L"} <= set(found.rules["reservation levels"])
    assert "1 rows were left out: no collection time." in found.told
    assert "Keep admitting everybody" in page.read_text(encoding="utf-8") and data.stat().st_size > 100


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    for wish in (Wish(compartments=(1, 2)), Wish(compartments=(0, 0, 0)), Wish(risk=0.0), Wish(no_show=1.0)):
        with pytest.raises(Trouble):
            plan(None, wish, lambda _: None)
    empty = tmp_path / "empty.csv"
    empty.write_text("DateD,DateP\n", encoding="utf-8")
    with pytest.raises(Trouble):
        plan(empty, Wish(), lambda _: None)
