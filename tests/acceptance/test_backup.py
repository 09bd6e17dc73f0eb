"""Backup and restore with the very commands of docs/operator.md, as a person types them."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from acceptance.processes import HubProcess, a_folder, a_hub
from acceptance.shop import Shop, until

pytestmark = pytest.mark.timeout(180)
PAGE = Path(__file__).parents[2] / "docs" / "operator.md"
STEPS = re.findall(r"```sh\n(.*?)```", PAGE.read_text().partition("## Backup")[2].partition("\n### ")[0], re.DOTALL)
CARRIERS = ("acme", "other")


def typed(step: str, folder: Path, data: Path) -> str:
    """What a shell says to a step of the page, typed in `folder`. Each line of it must end 0.

    `data` takes the place of the default data folder, `folder/hub` that of the restored one.
    """
    step = step.replace(".venv/bin/parcelwall", f"{sys.executable} -m parcelwall")
    step = step.replace("/var/lib/parcelwall-restored", str(folder / "hub"))
    environment = os.environ | {"PARCELWALL_DATA_DIR": str(data)}
    done = subprocess.run(["sh", "-ec", step], cwd=folder, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_what_the_page_says_brings_a_hub_back_on_another_machine() -> None:
    dump, restore = STEPS
    with a_hub() as hub, a_folder() as folder:
        keys = {carrier: hub.admit(carrier) for carrier in CARRIERS}
        hub.join("S-0001", "SSM SSM")
        parcels = {carrier: announced(hub, key, carrier) for carrier, key in keys.items()}
        typed(dump, folder, hub.data)
        assert (folder / "hub.dump").stat().st_mode & 0o077 == 0
        hub.stop()
        shutil.copy(hub.data / "master.key", folder)
        assert typed(restore, folder, hub.data).startswith("Every book is whole")
        restored = HubProcess(folder)
        restored.start()
        try:
            for carrier, key in keys.items():
                sees_its_own(restored, key, parcels, carrier)
        finally:
            restored.stop()


def announced(hub: HubProcess, key: str, carrier: str) -> str:
    with closing(Shop(hub.url, key)) as shop:
        until(lambda: shop.get("/stations/S-0001").status_code == 200, "the hub's process knows of the new station")
        return str(shop.announce(reference=f"PW-{carrier}-1")["id"])


def sees_its_own(hub: HubProcess, key: str, parcels: dict[str, str], carrier: str) -> None:
    """A carrier reads with the key of before what is its own, and nothing else."""
    with closing(Shop(hub.url, key)) as shop:
        assert shop.get("/entries").status_code == 200
        found = {each: shop.get(f"/parcels/{parcel}").status_code for each, parcel in parcels.items()}
        assert found == {each: 200 if each == carrier else 404 for each in parcels}
