"""The commands as people run them: they tell what they do, end when they are told to, and leave nothing behind."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest
from typer.testing import CliRunner

from acceptance.processes import HubProcess, Process, a_folder
from acceptance.shop import until
from acceptance.street import StationProcess
from parcelwall import __version__
from parcelwall.__main__ import app

pytestmark = pytest.mark.timeout(120)
COMMANDS = ("demo", "hub", "station", "replay", "verify", "bench", "admit", "configure")


def parcelwall(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "parcelwall", *words], capture_output=True, text=True, timeout=100)


def test_the_commands_tell_what_they_do() -> None:
    done = parcelwall("--help")
    assert done.returncode == 0
    assert [name for name in COMMANDS if not re.search(rf"^\W*{name}\b", done.stdout, re.MULTILINE)] == []


def test_it_says_its_version() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.output) == (0, f"parcelwall {__version__}\n")


@pytest.mark.parametrize("command", ["hub", "station", "demo"])
def test_each_command_has_help(command: str) -> None:
    done = parcelwall(command, "--help")
    assert done.returncode == 0 and "Usage" in done.stdout and not done.stderr


MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "no such file": (("station", "--config", "/nothing.toml"), "cannot read /nothing.toml"),
    "no such role": (("admit", "acme", "--role", "king"), "the role is carrier"),
    "not a port": (("hub", "--port", "high"), "port"),
    "no address": (("hub", "--public-url", "a.example", "--data", "/proc/no"), "`public_url` is 'a.example'"),
    "no hub there": (("hub-restored", "--data", "/nothing/typo"), "/nothing/typo holds no hub"),
    "no such program": (("database", "rm", "-rf"), "rm is none of pg_dump, pg_restore, psql"),
}


@pytest.mark.parametrize(("words", "told"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told_in_a_sentence(words: tuple[str, ...], told: str) -> None:
    done = parcelwall(*words)
    assert done.returncode in (1, 2) and told in done.stderr and "Traceback" not in done.stderr


def test_a_port_that_is_taken() -> None:
    with a_folder() as folder, socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        done = parcelwall("hub", "--data", str(folder / "hub"), "--port", str(port))
    assert done.returncode == 1 and f"port {port} on 127.0.0.1 is taken" in done.stderr


def test_one_delivery_is_told_and_whole() -> None:
    with a_folder() as folder:
        done = parcelwall("demo", "--once", "--data", str(folder / "once"))
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip().endswith("The story is whole.")
        assert "Traceback" not in done.stderr
        assert parcelwall("verify", "--data", str(folder / "once")).returncode == 0


@pytest.mark.parametrize("sign", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_a_demo_ends_with_all_that_it_started(sign: signal.Signals) -> None:
    with a_folder() as folder:
        demo = Process(folder, "demo", "demo", "--port", "0", "--data", str(folder / "demo"), "--calm", "1")
        demo.start()
        url = until(lambda: started(demo), "the demo says where it runs", 60)
        assert httpx.get(url, trust_env=False).status_code == 200
        ended_cleanly(demo, sign)


def started(demo: Process) -> str:
    assert demo.alive(), demo.log()
    found = re.search(r"Begin at (http://\S+/start)", demo.said.read_text())
    return found[1] if found else ""


def ended_cleanly(process: Process, sign: signal.Signals) -> None:
    """Within seconds, with code 0 and without a complaint; and no child of it lives on."""
    family = process.family()
    assert process.end(sign, within_s=15) == 0
    _, left = psutil.wait_procs(family, timeout=5)
    assert left == []
    assert "Traceback" not in process.log(), process.log()[-2000:]


def test_a_station_waits_for_its_hub_and_ends_when_told(tmp_path: Path) -> None:
    """Enrolled and configured it runs without a hub; its screen opens for whoever holds the pass, once."""
    with a_folder() as folder:
        hub = HubProcess(folder)
        hub.start()
        station = StationProcess(folder, "S-0001", "SSM", hub.configure("S-0001", "SSM"), hub.port)
        station.start()
        until(lambda: "Parcelwall station S-0001" in station.said.read_text(), "the station is configured", 30)
        admitted_again_with_less_said(hub)
        more_alone(hub)
        ended_cleanly(hub, signal.SIGTERM)
        the_pass_serves_once(station)
        ended_cleanly(station, signal.SIGINT)
        station.start()
        until(lambda: station.said.read_text().count("Parcelwall station S-0001") == 2, "it starts without a hub", 30)
        ended_cleanly(station, signal.SIGTERM)


def test_a_hub_that_people_find_over_tls_says_so_to_their_browsers() -> None:
    with a_folder() as folder:
        hub = HubProcess(folder, PARCELWALL_PUBLIC_URL="https://parcels.example.org")
        hub.start()
        answer = httpx.get(hub.url, trust_env=False)
        hub.stop()
    assert answer.headers["strict-transport-security"] == "max-age=31536000", "no word of other hosts below it"


def admitted_again_with_less_said(hub: HubProcess) -> None:
    where = ("--data", str(hub.data))
    assert parcelwall("admit", "timo", "--role", "technician", "--area", "S-0001", *where).returncode == 0
    again = parcelwall("admit", "timo", *where)
    assert again.stdout.startswith("pw_") and len(again.stdout.split()) == 1, "the key and nothing else"
    assert "timo (timo): technician at S-0001. The key, sign-ins and passkeys of before have ended." in again.stderr
    assert str(hub.data) in again.stderr
    slip = parcelwall("admit", "timo", "--role", "carrier", *where)
    assert (slip.returncode, slip.stdout) == (1, "") and "timo is a technician already" in slip.stderr


def more_alone(hub: HubProcess) -> None:
    """The rule of two persons is loosened at the hub's machine; the running hub has it from its next look on."""
    where = ("--data", str(hub.data))
    assert parcelwall("alone", *where).stdout.startswith("Alone: 2 doors in ten minutes, 1 parcels")
    assert "4 doors in ten minutes, 1 parcels" in parcelwall("alone", "--doors", "4", *where).stdout
    assert "4 doors in ten minutes, 0 parcels" in parcelwall("alone", "--parcels", "0", *where).stdout


def the_pass_serves_once(station: StationProcess) -> None:
    url = (station.data / "kiosk.url").read_text().strip()
    assert (station.data / "kiosk.url").stat().st_mode & 0o077 == 0
    base = url.partition("/begin")[0]
    with httpx.Client(trust_env=False, follow_redirects=True) as first, httpx.Client(trust_env=False) as second:
        assert second.get(f"{base}/").status_code == 404
        assert "data-screen" in first.get(url).text
        assert first.cookies and "data-screen" in first.get(f"{base}/").text
        assert second.get(url).status_code == 404
        assert second.get(f"{base}/begin").status_code == 404
        cookie = dict(first.cookies)
        assert second.get(f"{base}/", headers={"Host": "localhost:1"}, cookies=cookie).status_code == 404
