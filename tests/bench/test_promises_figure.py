"""The figure of promises says nothing where there is too little to say."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from parcelwall.bench import promises as bench
from parcelwall.errors import Trouble
from parcelwall.planning.promises import Told
from parcelwall.planning.room_judged import Tables


def told(missed: int, of: int = 300) -> Told:
    fitted = np.ones(of)
    fitted[:missed] = 0
    chance = np.where(fitted == 1, 0.9, 0.2)
    return Told(np.full(of, fitted.mean()), chance, chance, chance, fitted)


CHANCE, FITTED = np.append(np.full(299, 0.7), np.nan), np.append(np.zeros(100), np.ones(200))
TABLES = Tables(CHANCE, CHANCE + 0.2, FITTED, ["moved", "trees", "moved"])


@pytest.mark.parametrize("missed", [0, bench.LEAST_MISSED - 1])
def test_where_nearly_all_fit_there_is_no_skill_to_tell(missed: int) -> None:
    figure = bench._figure("promises_9/9/9", told(missed), TABLES, 1.0)
    assert figure.value is None and f"{missed} of 300 parcels found no room" in figure.skipped


def test_skill_is_told_where_some_did_not_fit() -> None:
    figure = bench._figure("promises_9/9/9", told(100), TABLES, 1.0)
    assert not figure.skipped and figure.value is not None and 0 < figure.value < 1
    assert figure.more["parcels"] == 300 and figure.reference == pytest.approx(2 / 9, abs=1e-4)
    assert figure.more["tables_of"] == 299 and figure.more["tables_ways"] == {"moved": 2, "trees": 1}
    [tenth] = figure.more["tables_reliability"]
    assert (tenth["low"], tenth["count"], tenth["told"], tenth["came"]) == (0.7, 299, 0.7, round(199 / 299, 4))
    assert [each["count"] for each in figure.more["reliability"]] == [100, 200]
    assert figure.more["tables_brier"] == pytest.approx((100 * 0.49 + 199 * 0.09) / 299, abs=1e-4)


def test_a_few_rows_are_no_year_to_judge_by(tmp_path: Path) -> None:
    file, began = tmp_path / "point.csv", datetime(2017, 12, 1, 9)
    lines = ["Id_parcel,DateR,DateE,DateD,DateP,Carrier"]
    for n in range(60):
        day = began + timedelta(days=n)
        times = [f"{day + timedelta(hours=h):%Y-%m-%d %H:%M:%S}" for h in (0, 1, 9, 40)]
        lines.append(f"{n},{','.join(times)},A")
    file.write_text("\n".join(lines))
    with pytest.raises(Trouble, match="29 parcels of the last year can be judged, 200 are needed"):
        bench._of_station(([file], (14, 12, 5), True))
