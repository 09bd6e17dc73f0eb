"""The API's own page: `/docs` shows the OpenAPI document, `/docs/openapi.json` is it. Nothing from elsewhere."""

from typing import Any

from litestar import Litestar, Request, Response, get

from parcelwall.errors import REASONS
from parcelwall.rules.sentence import MARKS
from parcelwall.web.reader import look_of
from parcelwall.web.reader import page as shown
from parcelwall.web.render import Renderer
from parcelwall.web.views import ApiCall, ApiField, ApiGroup, ApiView

BODIES = ("Recipient", "Where", "Near")  # what bodies are made of
KEY = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"}


@get("/docs/openapi.json", include_in_schema=False)
async def schema(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return _made(request.app)[0]


def _made(app: Litestar) -> tuple[dict[str, Any], ApiView]:
    """The document and its page, made for the first who asks: it takes half a second, and never changes."""
    if "api_docs" not in app.state:
        made = document(app)
        app.state["api_docs"] = made, view(made)
    found: tuple[dict[str, Any], ApiView] = app.state["api_docs"]
    return found


def document(app: Litestar) -> dict[str, Any]:
    """The OpenAPI document, with what litestar cannot read from our types: no other fields, and closed lists."""
    made: dict[str, Any] = app.openapi_schema.to_schema()
    shapes = made["components"]["schemas"]
    for name in {*BODIES, *(name for name in shapes if name.endswith("Body"))}:
        shapes[name]["additionalProperties"] = False
    shapes["ReportBody"]["properties"]["mark"]["enum"] = sorted(MARKS)
    shapes["DivertBody"]["properties"]["reason"]["enum"] = sorted(REASONS)
    calls = (call for calls in made["paths"].values() for call in calls.values())
    for each in (each for call in calls for each in call.get("parameters", ()) if each["name"] == "Idempotency-Key"):
        each["schema"] = KEY
    return made


@get("/docs", include_in_schema=False)
async def page(request: Request[Any, Any, Any], renderer: Renderer) -> Response[bytes]:
    return shown(renderer, _made(request.app)[1], look_of(request, language="en"))


def view(document: dict[str, Any]) -> ApiView:
    """The document as groups of calls, in the order of its tags."""
    groups: dict[str, list[ApiCall]] = {}
    for path, methods in sorted(document["paths"].items()):
        for method, call in methods.items():
            tag = (call.get("tags") or ["other"])[0]
            groups.setdefault(tag, []).append(_call(document, method.upper(), path, call))
    return ApiView(document["info"]["title"], document["info"]["version"],
                   tuple(ApiGroup(tag, tuple(calls)) for tag, calls in sorted(groups.items())))  # fmt: skip


def _call(document: dict[str, Any], method: str, path: str, call: dict[str, Any]) -> ApiCall:
    fields = [
        ApiField(each["name"], f"{each['in']}, {_type(each.get('schema', {}))}", each.get("description", ""),
                 each.get("required", False))
        for each in call.get("parameters", [])
    ]  # fmt: skip
    contents: list[dict[str, Any]] = list(call.get("requestBody", {}).get("content", {}).values())
    body = contents[0].get("schema", {}) if contents else {}
    answers = tuple(f"{code} {answer.get('description', '')}" for code, answer in sorted(call["responses"].items()))
    return ApiCall(method, path, call.get("summary", ""), tuple(fields), tuple(_fields(document, body)), answers)


def _fields(document: dict[str, Any], schema: dict[str, Any]) -> list[ApiField]:
    resolved = _resolve(document, schema)
    required = set(resolved.get("required", ()))
    return [
        ApiField(name, _type(_resolve(document, each) | each), each.get("description", ""), name in required)
        for name, each in resolved.get("properties", {}).items()
    ]  # fmt: skip


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"].get(name, {}) if name else schema
    return found


def _type(schema: dict[str, Any]) -> str:
    """A type in words: `integer 1..5000`, `ambient | chilled | frozen`, `Recipient`."""
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"] if each is not None)
    if "oneOf" in schema:
        return " | ".join(dict.fromkeys(_type(each) for each in schema["oneOf"] if each.get("type") != "null"))
    kind = str(schema.get("format") or schema.get("type") or schema.get("$ref", "").rpartition(".")[2] or "any")
    low, high = schema.get("minimum"), schema.get("maximum")
    return f"{kind} {low}..{high}" if low is not None and high is not None else kind
