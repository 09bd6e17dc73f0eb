"""A station's file as an operator writes it: slips of the pen are told, not configured."""

from json import dumps
from pathlib import Path

import pytest

from parcelwall.errors import Trouble
from parcelwall.hub.station_file import read_station

WHOLE = {"station": "S-0001", "name": "Kluuvi", "address": "Here 1", "lat": 60.17, "lon": 24.94,
         "zone": "Europe/Helsinki", "language": "pt", "columns": "SSML SSML", "panel_after": 1}  # fmt: skip


def written(folder: Path, **changed: object) -> Path:
    file = folder / "station.toml"
    file.write_text("".join(f"{name} = {dumps(value)}\n" for name, value in (WHOLE | changed).items()))
    return file


def test_a_whole_one_is_read(tmp_path: Path) -> None:
    about = read_station(written(tmp_path))
    assert (about.zone, about.language, len(about.layout.compartments)) == ("Europe/Helsinki", "pt", 8)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"zon": "Europe/Helsinki"}, "`zon` means nothing here. Did you mean `zone`?"),
        ({"weight": "red"}, "`weight` means nothing here. Take it out."),
        ({"lat": 99.0}, "`lat` is -90 to 90"), ({"lon": 660.1}, "`lon` -180 to 180"),
        ({"language": "fi"}, "there is no fi here; there are"),
        ({"columns": "SSQL"}, "`columns`: Q is no size; write S, M, L, or the layout itself"),
        ({"zone": "Europe/Helsinky"}, "`zone`: 'Europe/Helsinky' is no time zone. Write Europe/Helsinki, or"),
        ({"zone": "europe/berlin"}, "Write Europe/Berlin, or"),
        *(({"zone": bad}, "is no time zone") for bad in
          ("", "Europe", "../etc", "/etc/passwd", "zone.tab", "localtime", "posixrules", "right/UTC", "a\0b")),
        *(({"station": bad}, "`station` is 1 to 32") for bad in ("<b>", "", "S 1", "S/1", "../x", "S\n", "S" * 33)),
        ({"name": "n" * 201}, "`name` has 1 to 200"), ({"address": " "}, "`address` has 1 to 200"),
        *(({"name": f"a{bad}b"}, "`name` is one line") for bad in ("\n", "\x1b[2J", "\u202e", "\u2066", "\u2028")),
    ],
)  # fmt: skip
def test_a_slip_is_told(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    with pytest.raises(Trouble) as no:
        read_station(written(tmp_path, **changed))
    assert said in str(no.value)
