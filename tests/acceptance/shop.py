"""A shop that uses the API as its documentation says: real HTTP, one Idempotency-Key for each intention."""

import time
from collections.abc import Callable
from itertools import count
from typing import Any

import httpx

WAIT_S = 20.0
_numbers = count(1)


def until(true: Callable[[], Any], what: str, within_s: float = WAIT_S) -> Any:
    """The first answer that is true. Fails with `what` was waited for."""
    deadline = time.monotonic() + within_s
    while not (answer := true()):
        assert time.monotonic() < deadline, f"waited {within_s:.0f} s in vain until {what}"
        time.sleep(0.05)
    return answer


def a_reference(prefix: str = "PW-7F3") -> str:
    """A number that nobody else has in this run; it ends in four digits, as printed numbers do."""
    return f"{prefix}-{2000 + next(_numbers)}"


def a_body(reference: str | None = None, **changes: Any) -> dict[str, Any]:
    """What a shop sends for one small parcel to S-0001."""
    body = {
        "reference": a_reference() if reference is None else reference,
        "length_mm": 300, "width_mm": 200, "height_mm": 60, "weight_g": 900,
        "recipient": {"name": "Aino", "email": "aino@example.org", "language": "en"},
        "destination": {"station_id": "S-0001"},
    }  # fmt: skip
    return {name: value for name, value in {**body, **changes}.items() if value is not None}


class Shop:
    """One API key on one hub."""

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=WAIT_S, trust_env=False
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self._client.get(f"/api/v1{path}", params=query or None)

    def post(self, path: str, body: Any, key: str | None = "") -> httpx.Response:
        """`key` None sends no Idempotency-Key; "" a new one."""
        headers = {} if key is None else {"Idempotency-Key": key or f"key-{next(_numbers)}"}
        return self._client.post(f"/api/v1{path}", json=body, headers=headers)

    def announce(self, **changes: Any) -> dict[str, Any]:
        """A parcel for which room is promised."""
        answer = self.post("/parcels", a_body(**changes))
        assert answer.status_code == 201, answer.text
        shown: dict[str, Any] = answer.json()
        assert shown["stage"] == "RESERVED", shown
        return shown

    def report(self, reference: str, mark: str, carrier: str = "demo-post") -> None:
        answer = self.post(f"/carriers/{carrier}/reports", {"reference": reference, "mark": mark})
        assert answer.status_code == 200, answer.text

    def stage(self, parcel: str) -> str:
        return str(self.get(f"/parcels/{parcel}").json()["stage"])

    def courier_code(self, station: str, courier: Any) -> str:
        """For an operator's key: what the courier types today."""
        return str(self.get(f"/couriers/{courier}/code", station=station).json()["code"])
