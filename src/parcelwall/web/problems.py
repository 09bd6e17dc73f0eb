"""Every no over HTTP is RFC 9457 problem+json: a machine `reason` and a sentence that says what to do."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.datastructures import FormMultiDict
from litestar.exceptions import HTTPException, NotAuthorizedException, SerializationException, ValidationException

from parcelwall.errors import Refusal, Trouble
from parcelwall.web.field_words import in_words

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "https://parcelwall.invalid/problems/"

STATUS: dict[str, int] = {
    "not_json": 400, "bad_field": 400, "too_large_a_body": 413, "not_found": 404, "method_not_allowed": 405,
    "sign_in": 401, "no_right": 403, "idempotency_key_missing": 400, "idempotency_key_reused": 422,
    "too_many_tries": 429, "reference_taken": 409, "station_unknown": 404, "station_out_of_service": 409,
    "no_station_near": 422, "station_full": 422, "no_fitting_compartment": 422, "no_reachable_compartment": 422,
    "climate_not_here": 422, "parcel_too_large": 422, "parcel_too_heavy": 422, "sides_unknown": 422,
    "proof_not_possible_here": 422, "proof_too_weak": 422, "too_far_ahead": 422, "wrong_stage": 409,
    "already_deposited": 409,
    "too_late_to_extend": 409, "too_many_extensions": 409, "wrong_code": 403, "codes_paused": 429,
    "selector_needed": 409,
    "not_for_this_station": 409, "door_busy": 409, "door_failed": 503, "stale_screen": 409, "deposit_too_late": 409,
    "station_offline": 409, "not_present": 403, "order_late": 409, "order_repeated": 409, "order_unknown": 409,
    "door_rests": 409, "label_twice": 422,
    "passkey_wrong": 403, "proof_missing": 403, "cannot_record": 503, "claim_unknown": 403, "station_taken": 409,
    "held_back": 409, "too_many_staff": 409, "too_many_codes": 409, "bundle_unknown": 422, "invite_unknown": 403,
    "held_for_others": 422, "second_person_needed": 403, "too_new_to_agree": 403, "asked_already": 409,
    "reason_missing": 422, "prove_again": 403,
}  # fmt: skip
_PLACE = re.compile(r"at `\$\.?([^`]{1,100})`")
_NAMED = re.compile(r"(?:missing required|unknown) field `([^`]{1,64})`")
_BY_HTTP = {401: "sign_in", 403: "no_right", 404: "not_found", 405: "method_not_allowed", 413: "too_large_a_body"}

log = structlog.get_logger()


class Problem(Response[bytes]):
    """The answer, and what `web.refused` says of it where it is people who read it: the `reason`, and the seconds until
    it may be tried again."""

    reason = ""
    retry_s: int | None = None


def problem(
    status: int, reason: str, sentence: str, headers: Mapping[str, str] | None = None, **details: Any
) -> Problem:
    """The answer of RFC 9457; `details` are members of their own, and `retry_s` is a header besides."""
    body = {"type": TYPE_PREFIX + reason, "title": reason.replace("_", " ").capitalize(), "status": status,
            "detail": sentence, "reason": reason, **details}  # fmt: skip
    told = {**(headers or {}), "X-Content-Type-Options": "nosniff"}
    if "retry_s" in details:
        told["Retry-After"] = str(details["retry_s"])
    if status == 401:
        told.setdefault("WWW-Authenticate", "Bearer")
    made = Problem(msgspec.json.encode(body), status_code=status, media_type=MEDIA_TYPE, headers=told)
    made.reason, made.retry_s = reason, details.get("retry_s")
    return made


class CarefulRequest(Request[Any, Any, Any]):
    """Reads a body as what its handler takes, to the letter: "300" is no number. Raises Refusal."""

    async def form(self) -> FormMultiDict:
        """Refuses a NUL in any field: no browser sends one, and no table takes it."""
        form = await super().form()
        if any("\x00" in name or (isinstance(value, str) and "\x00" in value) for name, value in form.multi_items()):
            raise Refusal("bad_field", problem="it holds a NUL")
        return form

    async def json(self) -> Any:
        taken = self.route_handler.parsed_data_field
        try:
            return msgspec.json.decode(await self.body(), type=taken.annotation if taken else Any)
        except msgspec.ValidationError as no:
            field = _field(str(no))
            raise Refusal("bad_field", field=field, problem=in_words(str(no), field)) from no
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as no:
            raise Refusal("not_json", problem=str(no)) from no


def on_refusal(request: Request[Any, Any, Any], no: Refusal) -> Problem:
    return problem(STATUS[no.reason], no.reason, no.sentence, **no.details)


def on_trouble(request: Request[Any, Any, Any], failed: Trouble) -> Problem:
    """The world failed: the same request may be sent again."""
    return problem(503, "trouble", str(failed), retry_s=2)


def on_lost(request: Request[Any, Any, Any], failed: Exception) -> Problem:
    return problem(503, "trouble", "The hub cannot reach its database now. Ask again in a moment.", retry_s=2)


def on_http(request: Request[Any, Any, Any], no: HTTPException) -> Problem:
    if isinstance(no, ValidationException) or isinstance(no.__cause__, SerializationException):
        return on_validation(no)
    if no.status_code >= 500:
        return on_bug(request, no)
    reason = "sign_in" if isinstance(no, NotAuthorizedException) else _BY_HTTP.get(no.status_code, "bad_field")
    refusal = Refusal(reason)
    return problem(STATUS[reason], reason, refusal.sentence, headers=no.headers)


def on_serialization(request: Request[Any, Any, Any], no: SerializationException) -> Problem:
    return on_validation(no)


def on_validation(no: Exception) -> Problem:
    """A path, a question or a form of another shape: the first field that is wrong is named."""
    extra = getattr(no, "extra", None) or []
    first = extra[0] if isinstance(extra, list) and extra else {}
    said = str(first.get("message") or getattr(no, "detail", "") or no)
    if said == "'data'":  # what Litestar says where a body should be and there is none
        said = "There is no body"
    field = str(first.get("key", "")).removeprefix("data")
    field = field or _field(said)
    refusal = Refusal("bad_field", field=field, problem=in_words(said, field))
    return problem(STATUS[refusal.reason], refusal.reason, refusal.sentence, **refusal.details)


def _field(said: str) -> str:
    """Which field it is, from msgspec's message: `recipient.name`, `parcels[1].length_mm`."""
    place, named = _PLACE.search(said), _NAMED.search(said)
    return ".".join(filter(None, (place[1] if place else "", named[1] if named else "")))


def on_bug(request: Request[Any, Any, Any], failed: Exception) -> Problem:
    """We are wrong. The log has the kind of failure and where, never what was sent."""
    where = failed.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = f"{where.tb_frame.f_code.co_name}:{where.tb_lineno}" if where else ""
    log.error("request_failed", reason=type(failed).__name__, where=place, exc_info=failed)
    return problem(500, "trouble", "Something here is broken. Nothing was recorded; the operators can see it.")


HANDLERS: dict[int | type[Exception], Any] = {
    Refusal: on_refusal, Trouble: on_trouble, SerializationException: on_serialization, HTTPException: on_http,
    Exception: on_bug,
}  # fmt: skip
