"""Text messages through apprise to a real HTTP receiver that takes, refuses, stumbles or hangs."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from parcelwall.errors import Trouble
from parcelwall.notices.failures import Unanswered, Undeliverable
from parcelwall.notices.messages import Message
from parcelwall.notices.text_message import MOBILE, TextMessenger, TextSettings, e164

PHONE = "+358401234567"


class Gateway:
    """Speaks as much HTTP as apprise needs. `status` 0 never answers."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.port = 0
        self.got: list[tuple[str, dict[str, str]]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        size = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length"))
        self.got.append((head.split()[1], json.loads(await reader.readexactly(size))))
        if self.status:
            writer.write(f"HTTP/1.1 {self.status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        else:
            await reader.read()
        writer.close()

    def messenger(self, **more: object) -> TextMessenger:
        return TextMessenger(TextSettings(url=f"json://127.0.0.1:{self.port}/sms/{{phone}}", **more))  # type: ignore[arg-type]


@asynccontextmanager
async def gateway(status: int) -> AsyncIterator[Gateway]:
    made = Gateway(status)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


async def test_a_text_arrives_whole(message: Message) -> None:
    async with gateway(200) as there:
        await there.messenger().send("+358 40 123 4567", message)
    ((path, body),) = there.got
    assert path.split("?")[0] == "/sms/358401234567"
    assert body["message"] == message.sms and body["title"] == ""


@pytest.mark.parametrize("status", [500, 503, 429, 401, 403])
async def test_a_service_that_stumbles_is_trouble(status: int, message: Message) -> None:
    async with gateway(status) as there:
        with pytest.raises(Trouble, match=str(status)) as no:
            await there.messenger().send(PHONE, message)
    assert "40123" not in str(no.value)


@pytest.mark.parametrize("status", [400, 422])
async def test_a_number_that_the_service_refuses_is_for_good(status: int, message: Message) -> None:
    async with gateway(status) as there:
        with pytest.raises(Undeliverable) as no:
            await there.messenger().send(PHONE, message)
    assert (no.value.reason, no.value.code) == ("number_refused", status)
    assert "40123" not in str(no.value)


async def test_a_service_that_hangs_is_trouble_in_time(message: Message) -> None:
    async with gateway(0) as there:
        began = time.monotonic()
        with pytest.raises(Unanswered):
            await there.messenger(answer_s=0.3).send(PHONE, message)
        assert time.monotonic() - began < 2


async def test_nobody_listens(message: Message) -> None:
    async with gateway(200) as there:
        pass
    with pytest.raises(Trouble) as no:
        await there.messenger().send(PHONE, message)
    assert not isinstance(no.value, Unanswered), "it has sent nothing"


@pytest.mark.parametrize("url", ["", "json://127.0.0.1/sms", "nothing://{phone}", "{phone}"])
def test_a_useless_address_is_told_at_the_start(url: str) -> None:
    with pytest.raises(Trouble):
        TextMessenger(TextSettings(url=url))


async def test_nothing_personal_is_logged(message: Message, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with gateway(500) as there:
        with pytest.raises(Trouble):
            await there.messenger().send(PHONE, message)
    assert "358401234567" not in caplog.text and "4719" not in caplog.text


@pytest.mark.parametrize(
    ("written", "home", "number"),
    [
        ("+358 40 123 4567", "", "+358401234567"), ("00358-40-1234567", "", "+358401234567"),
        ("040 1234567", "+358", "+358401234567"), ("(040) 123 45 67", "+358", "+358401234567"),
        ("+49 (0)151/12345678", "", "+4915112345678"), ("600 100 200", "+48", "+48600100200"),
        ("0039 06 698", "+39", "+3906698"), ("06 698 1234", "+39", "+39066981234"),
        ("+1.415.555.0100", "", "+14155550100"),
    ],
)  # fmt: skip
def test_numbers_in_any_common_form(written: str, home: str, number: str) -> None:
    assert e164(written, home) == number


@pytest.mark.parametrize(
    "written",
    [
        "",
        "112",
        "040 1234567",
        "+0401234567",
        "+35840123456789012",
        "+358 FLOWERS",
        "+358\u0664\u0660",
        "+",
        "tel:+358401234567",
    ],
)
def test_what_is_no_number(written: str) -> None:
    with pytest.raises(Undeliverable) as no:
        e164(written)
    assert no.value.reason == "number_unreadable"


@pytest.mark.parametrize("phone", ["+358600123456", "+49900123456", "+48701234567", "+960123456789", "+14155550100"])
async def test_premium_and_unlisted_ranges_are_not_sent_to(phone: str, message: Message) -> None:
    async with gateway(200) as there:
        with pytest.raises(Undeliverable) as no:
            await there.messenger().send(phone, message)
    assert no.value.reason == "number_not_allowed" and there.got == []


async def test_allowed_ranges_are_a_setting(message: Message) -> None:
    async with gateway(200) as there:
        await there.messenger(allowed=(*MOBILE, "+1415")).send("+14155550100", message)
    assert len(there.got) == 1
