"""Notices by text message, or by any of the hundred other services that apprise reaches by an address.

`url` is an apprise address with `{phone}` in it, which becomes the country code and number, digits only, such as
`twilio://SID:TOKEN@FROM/{phone}` or `json://127.0.0.1:9000/sms/{phone}`.
"""

import asyncio
import logging
import re
from typing import Any

import msgspec

from parcelwall.errors import Trouble
from parcelwall.notices.failures import Unanswered, Undeliverable
from parcelwall.notices.messages import Message

# Mobile numbers of the countries we begin with, from their numbering plans (Traficom, Bundesnetzagentur, UKE, ANACOM).
# Listed ranges only: short and premium numbers, and countries that are pumped, are not among them (trust.md A-17).
MOBILE = (
    "+3584", "+35850",
    "+4915", "+4916", "+4917",
    "+4845", "+4850", "+4851", "+4853", "+4857", "+4860", "+4866", "+4869", "+4872", "+4873", "+4878", "+4879", "+4888",
    "+35191", "+35192", "+35193", "+35196",
)  # fmt: skip
TRUNK_ZERO_STAYS = frozenset({"+39"})  # Italy dials its leading zero from abroad as well
TOO_LATE = "the text message service did not answer in time"
FOR_GOOD = frozenset({400, 410, 422})  # what gateways answer to a number that they cannot use


def _apprise() -> Any:
    """Imported where text messages are sent only: it takes a second. Its logs lose numbers and texts at once."""
    import apprise

    for name in ("apprise", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.WARNING)  # below that they log whole messages
        logging.getLogger(name).addFilter(_without_numbers)
    return apprise


def _without_numbers(record: logging.LogRecord) -> bool:
    record.msg, record.args = re.sub(r"\d{6,}", "...", record.getMessage()), ()
    return True


class TextSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`home` is put before national numbers ("+358"); `allowed` lists the beginnings of numbers that may be sent to."""

    url: str
    home: str = ""
    allowed: tuple[str, ...] = MOBILE
    answer_s: float = 30.0  # patient: whoever answers later has mostly sent it


class TextMessenger:
    """Sends text messages through one service. Raises Trouble when made with an address that apprise cannot read, or
    with a country code or a beginning of numbers that is none."""

    def __init__(self, settings: TextSettings) -> None:
        _refuse_odd(settings)
        self._settings = settings
        self._apprise = _apprise()
        if "{phone}" not in settings.url or self._apprise.Apprise.instantiate(self._url("+358401234567")) is None:
            raise Trouble("the address for text messages is not one that apprise knows, or has no {phone} in it")

    async def send(self, phone: str, message: Message) -> None:
        """Hands one text over. Raises Trouble if it may be tried again, Undeliverable if never.

        A service that answers too late may have taken it all the same; then the next try makes a second one, and that
        Trouble is Unanswered.
        """
        number = e164(phone, self._settings.home)
        if not number.startswith(self._settings.allowed):
            raise Undeliverable("number_not_allowed")
        service = self._apprise.Apprise()
        service.add(self._url(number))
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            async with asyncio.timeout(self._settings.answer_s + 1):
                result = await service.async_notify(body=message.sms, title="", body_format="text")
        except TimeoutError:
            raise Unanswered(TOO_LATE) from None
        if not result:
            raise _failure(result, loop.time() - began_s >= self._settings.answer_s)

    def _url(self, number: str) -> str:
        url = self._settings.url.replace("{phone}", number.removeprefix("+"))
        limits = f"cto={self._settings.answer_s:g}&rto={self._settings.answer_s:g}"
        return f"{url}{'&' if '?' in url else '?'}{limits}&overflow=upstream"


def _refuse_odd(settings: TextSettings) -> None:
    if settings.home and not re.fullmatch(r"\+[1-9][0-9]{0,2}", settings.home):
        raise Trouble(f"sms_home is a country code such as +358, not {settings.home!r}")
    odd = [begin for begin in settings.allowed if not re.fullmatch(r"\+[1-9][0-9]{0,14}", begin)]
    if odd or not settings.allowed:
        raise Trouble(f"sms_allowed lists beginnings of numbers such as +3584, separated by commas, not {odd[:1]}")


def e164(phone: str, home: str = "") -> str:
    """`+358401234567` from any common way to write it (ITU-T E.164). `home` is the country code of national numbers.

    Raises Undeliverable for what is no number: letters, too short, too long, national without a `home`.
    """
    bare = re.sub(r"[\s\u00a0().\-/\u2010-\u2015]|\(0\)", "", phone.replace("(0)", ""))
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    elif not bare.startswith("+") and home:
        bare = home + (bare if home in TRUNK_ZERO_STAYS else bare.removeprefix("0"))
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", bare):
        raise Undeliverable("number_unreadable")
    return bare


def _failure(result: Any, waited: bool) -> Trouble | Undeliverable:
    """What the service's answer means: apprise notes its code in its log, of which the result holds a copy. Without an
    answer it looks the same whether nobody was there or somebody has `waited` for it in vain."""
    noted = " ".join(entry.message for service in result for attempt in service for entry in attempt)
    found = re.search(r"error=(\d{3})\b", noted)
    code = int(found.group(1)) if found else 0
    if code in FOR_GOOD:
        return Undeliverable("number_refused", code)
    if waited and not code:
        return Unanswered(TOO_LATE)
    return Trouble(f"the text message service did not take it (answer {code or 'none'})")
