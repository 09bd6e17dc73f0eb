"""Holds real answers against an OpenAPI document. Stricter than JSON Schema: what is not documented is a fault."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

import httpx

KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "object": (dict,),
    "array": (list,), "null": (type(None),),
}  # fmt: skip
FORMATS = {"uuid": UUID, "date-time": datetime.fromisoformat, "date": date.fromisoformat}
OPEN = ("Problem",)  # documented as "some carry more"


class Document:
    """The API's own description, and which of its calls were answered with success."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.proven: set[tuple[str, str]] = set()
        self._paths = [(self._pattern(path), path, calls) for path, calls in document["paths"].items()]

    def _pattern(self, path: str) -> re.Pattern[str]:
        return re.compile(re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(path)) + "/?$")

    def calls(self) -> set[tuple[str, str]]:
        return {(method.upper(), path) for _, path, calls in self._paths for method in calls}

    def faults(self, answer: httpx.Response) -> list[str]:
        """What of this answer is not as documented. A call that is not documented at all may only be refused."""
        request = answer.request
        path = self._path(request)
        if not path:
            return [] if answer.status_code in (404, 405) else [f"{request.method} {request.url.path} is undocumented"]
        call = self.document["paths"][path][request.method.lower()]
        documented = call["responses"].get(str(answer.status_code))
        where = f"{request.method} {path} {answer.status_code}"
        if documented is None:
            return [f"{where} is undocumented: {answer.text[:200]}"]
        kind = answer.headers["content-type"].partition(";")[0]
        if kind not in documented["content"]:
            return [f"{where} answers {kind}"]
        if answer.is_success:
            self.proven.add((request.method, path))
        schema = documented["content"][kind]["schema"]
        return [f"{where}: {fault}" for fault in self._check(schema, answer.json(), "$")]

    def _path(self, request: httpx.Request) -> str:
        """The documented path of this request; one without places before one with."""
        method = request.method.lower()
        fits = (path for pattern, path, calls in self._paths if pattern.match(request.url.path) and method in calls)
        return min(fits, key=lambda path: "{" in path, default="")

    def _check(self, schema: dict[str, Any], value: Any, at: str) -> Iterator[str]:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            yield from self._check(self.document["components"]["schemas"][name], value, at)
            return
        if "oneOf" in schema:
            tries = [list(self._check(each, value, at)) for each in schema["oneOf"]]
            if not any(not faults for faults in tries):
                yield f"{at}: {value!r} is none of {schema['oneOf']}: {tries}"
        kinds = schema.get("type", [])
        allowed = tuple(kind for name in ([kinds] if isinstance(kinds, str) else kinds) for kind in KINDS[name])
        if allowed and (not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed)):
            yield f"{at}: {value!r} is not {kinds}"
        elif "enum" in schema and value not in schema["enum"]:
            yield f"{at}: {value!r} is not one of {schema['enum']}"
        elif isinstance(value, str) and schema.get("format") in FORMATS:
            yield from self._format(schema["format"], value, at)
        elif isinstance(value, list):
            for place, each in enumerate(value):
                yield from self._check(schema.get("items", {}), each, f"{at}[{place}]")
        elif isinstance(value, dict) and ("properties" in schema or "additionalProperties" in schema):
            yield from self._object(schema, value, at)

    def _format(self, name: str, value: str, at: str) -> Iterator[str]:
        try:
            FORMATS[name](value)
        except ValueError:
            yield f"{at}: {value!r} is no {name}"

    def _object(self, schema: dict[str, Any], value: dict[str, Any], at: str) -> Iterator[str]:
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{at}.{name} is missing"
        for name, each in value.items():
            inner = known.get(name, others)
            if inner is None and schema.get("title") not in OPEN:
                yield f"{at}.{name} is undocumented"
            elif inner:
                yield from self._check(inner, each, f"{at}.{name}")
