"""A client whose every answer is proved to be as the hub's own document says."""

import httpx

from acceptance.openapi import Document
from acceptance.shop import Shop, a_reference
from parcelwall.errors import REASONS


class Proven(Shop):
    """A shop whose every answer is held against the hub's own document, and every no against the reasons."""

    def __init__(self, url: str, key: str, document: Document) -> None:
        super().__init__(url, key)
        self._document = document
        self._client.event_hooks["response"].append(self._prove)

    def _prove(self, answer: httpx.Response) -> None:
        answer.read()
        assert self._document.faults(answer) == []
        if answer.is_error:
            self._is_a_problem(answer)

    def _is_a_problem(self, answer: httpx.Response) -> None:
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()
        assert told["reason"] in REASONS and told["detail"] and told["status"] == answer.status_code
        assert answer.status_code < 500, told

    def send(self, method: str, path: str, content: bytes = b"", **headers: str) -> httpx.Response:
        """A request as no client library would make it."""
        given = {"Content-Type": "application/json", "Idempotency-Key": f"raw-{a_reference()}", **headers}
        return self._client.request(method, f"/api/v1{path}", content=content, headers=given)
