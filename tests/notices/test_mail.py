"""Mail over real SMTP on loopback, against a server that misbehaves the way servers do."""

import asyncio
import logging
import re
import time
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default

import pytest

from notices.tls import client_context, server_context
from parcelwall.clock import SystemClock, VirtualClock
from parcelwall.errors import Trouble
from parcelwall.notices import mail
from parcelwall.notices.failures import RefusedByPolicy, Undeliverable
from parcelwall.notices.mail import Mailer, MailSettings
from parcelwall.notices.messages import QR_CID, Message
from parcelwall.notices.mime import their_address, write
from parcelwall.notices.sink import Moods, Sink

ADA = "ada@example.org"
ID = "<notice-1@parcels.example>"


def settings(sink: Sink, **more: object) -> MailSettings:
    given: dict[str, object] = {"sender": "Parcelwall <parcels@parcels.example>", "step_s": 2.0, "mail_s": 3.0, **more}
    return MailSettings(host="127.0.0.1", port=sink.port, **given)  # type: ignore[arg-type]


async def test_a_mail_arrives_whole(clock: SystemClock, message: Message) -> None:
    async with Sink(clock) as sink, Mailer(settings(sink), clock) as mailer:
        await mailer.send(ADA, message, ID)
    (got,) = sink.mails()
    assert (got.number, got.to, got.subject, got.message_id) == (1, ADA, message.subject, ID)
    assert (got.text, got.html) == (message.text, message.html)
    assert got.sender == "Parcelwall <parcels@parcels.example>"
    parsed = message_from_bytes(got.raw, policy=default)
    assert isinstance(parsed, EmailMessage)
    (picture,) = [part for part in parsed.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == f"<{QR_CID}>" and picture.get_content() == message.qr
    assert parsed["Auto-Submitted"] == "auto-generated" and parsed["Content-Language"] == "en-GB"
    assert parsed.get_content_type() == "multipart/alternative"
    assert max(map(len, got.raw.split(b"\r\n"))) <= 998 and got.raw.isascii()
    assert [part.defects for part in parsed.walk()] == [[]] * 5


async def test_the_same_notice_gives_the_same_bytes(message: Message) -> None:
    at = SystemClock().now()
    first, again = (write(message, "P <p@p.example>", their_address(ADA), ID, at) for _ in range(2))
    assert first == again


async def test_451_is_trouble_until_it_goes(clock: SystemClock, message: Message) -> None:
    async with Sink(clock, moods=Moods(busy=2)) as sink, Mailer(settings(sink), clock) as mailer:
        for _ in range(2):
            with pytest.raises(Trouble, match="451"):
                await mailer.send(ADA, message, ID)
        await mailer.send(ADA, message, ID)
    assert len(sink.mails()) == 1


async def test_550_is_for_good_and_tells_no_address(clock: SystemClock, message: Message) -> None:
    moods = Moods(unknown=frozenset({ADA}))
    async with Sink(clock, moods=moods) as sink, Mailer(settings(sink), clock) as mailer:
        with pytest.raises(Undeliverable) as no:
            await mailer.send(ADA, message, ID)
        assert (no.value.reason, no.value.code) == ("address_unknown", 550)
        assert "ada" not in str(no.value) and "example" not in str(no.value)
        assert no.value.__cause__ is None
        await mailer.send("grace@example.org", message, ID)  # on the same connection
    assert [got.to for got in sink.mails()] == ["grace@example.org"] and sink.connections == 1


async def test_554_to_the_text_is_for_good(clock: SystemClock, message: Message) -> None:
    async with Sink(clock, moods=Moods(rejects=1)) as sink, Mailer(settings(sink), clock) as mailer:
        with pytest.raises(Undeliverable) as no:
            await mailer.send(ADA, message, ID)
        await mailer.send(ADA, message, ID)
    assert no.value.reason == "message_refused" and len(sink.mails()) == 1


@pytest.mark.parametrize("moods", [Moods(policy=1), Moods(spam=1)], ids=["recipient", "text"])
async def test_a_policy_is_about_us_and_passes(moods: Moods, clock: SystemClock, message: Message) -> None:
    """5.7.x (RFC 3463): said to a recipient or to a text, and meant for the sender. No address is given up for it."""
    async with Sink(clock, moods=moods) as sink, Mailer(settings(sink), clock) as mailer:
        with pytest.raises(RefusedByPolicy, match=r"answer 55[04]") as no:
            await mailer.send(ADA, message, ID)
        assert "ada" not in str(no.value) and "bad name" not in str(no.value)
        await mailer.send(ADA, message, ID)
    assert len(sink.mails()) == 1


async def test_a_line_lost_before_the_answer_was_taken_all_the_same(clock: SystemClock, message: Message) -> None:
    """Why the Message-ID is the caller's: the second copy has the same, so that the mailbox shows one."""
    async with Sink(clock, moods=Moods(vanishes=1)) as sink, Mailer(settings(sink), clock) as mailer:
        with pytest.raises(Trouble):
            await mailer.send(ADA, message, ID)
        assert len(sink.mails()) == 1
        await mailer.send(ADA, message, ID)
    assert [got.message_id for got in sink.mails()] == [ID, ID]


async def test_a_server_that_hangs_is_trouble_in_time(clock: SystemClock, message: Message) -> None:
    async with Sink(clock, moods=Moods(hangs=True)) as sink:
        for limits in ({"step_s": 0.2}, {"mail_s": 0.2}):
            async with Mailer(settings(sink, **limits), clock) as mailer:
                began = time.monotonic()
                with pytest.raises(Trouble):
                    await mailer.send(ADA, message, ID)
                assert time.monotonic() - began < 2
    assert sink.mails() == []


async def test_nobody_listens(clock: SystemClock, message: Message) -> None:
    async with Sink(clock) as sink:
        pass
    async with Mailer(settings(sink), clock) as mailer:
        with pytest.raises(Trouble, match="no connection"):
            await mailer.send(ADA, message, ID)


@pytest.mark.parametrize("mode", ["starttls", "tls"])
async def test_tls_both_ways(mode: mail.Tls, clock: SystemClock, message: Message) -> None:
    async with (
        Sink(clock, ssl_context=server_context(), tls_from_start=mode == "tls") as sink,
        Mailer(settings(sink, tls=mode), clock, client_context()) as mailer,
    ):
        await mailer.send(ADA, message, ID)
    assert len(sink.mails()) == 1


async def test_a_server_without_starttls_gets_nothing(clock: SystemClock, message: Message) -> None:
    async with (
        Sink(clock, moods=Moods(no_starttls=True)) as sink,
        Mailer(settings(sink, tls="starttls"), clock, client_context()) as mailer,
    ):
        with pytest.raises(Trouble):
            await mailer.send(ADA, message, ID)
    assert sink.mails() == []


async def test_a_certificate_of_nobody_we_know_gets_nothing(clock: SystemClock, message: Message) -> None:
    async with (
        Sink(clock, ssl_context=server_context()) as sink,
        Mailer(settings(sink, tls="starttls"), clock) as mailer,
    ):
        with pytest.raises(Trouble):
            await mailer.send(ADA, message, ID)
    assert sink.mails() == []


@pytest.mark.parametrize("sender", ["parcels", "", "Parcels <>", "Parcels <a@b@c>"])
def test_a_sender_without_an_address_is_told_at_the_start(clock: SystemClock, sender: str) -> None:
    with pytest.raises(Trouble, match="write it as Parcels <parcels@example"):
        Mailer(MailSettings(host="127.0.0.1", sender=sender), clock)


def test_a_password_never_goes_in_the_clear(clock: SystemClock) -> None:
    with pytest.raises(Trouble, match="in the clear"):
        Mailer(MailSettings(host="mail.example", user="u", password="p", sender="a@b.example"), clock)


async def test_a_burst_shares_connections(clock: SystemClock, message: Message) -> None:
    async with Sink(clock) as sink, Mailer(settings(sink, connections=3), clock) as mailer:
        await asyncio.gather(*(mailer.send(f"p{n}@example.org", message, f"<{n}@p.example>") for n in range(20)))
        assert sink.connections <= 3
    assert sorted(got.to for got in sink.mails()) == sorted(f"p{n}@example.org" for n in range(20))


async def test_connections_are_given_up_when_old_or_dead(message: Message) -> None:
    clock = VirtualClock(SystemClock().now())
    async with Sink(clock) as sink, Mailer(settings(sink), clock) as mailer:
        await mailer.send(ADA, message, ID)
        clock.advance(mail.IDLE_S + 1)
        await mailer.send(ADA, message, ID)
        assert sink.connections == 2
        sink.cut()
        await asyncio.sleep(0)
        await mailer.send(ADA, message, ID)
        assert sink.connections == 3 and len(sink.mails()) == 3


async def test_a_cancelled_mail_leaves_no_connection_behind(clock: SystemClock, message: Message) -> None:
    moods = Moods(hangs=True)
    async with Sink(clock, moods=moods) as sink, Mailer(settings(sink), clock) as mailer:
        task = asyncio.create_task(mailer.send(ADA, message, ID))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        moods.hangs = False
        await mailer.send(ADA, message, ID)
    assert sink.connections == 2 and len(sink.mails()) == 1


@pytest.mark.parametrize(
    "address",
    [
        "", "ada", "ada@", "@example.org", "ada@example.org\r\nBcc: eve@evil.example", "ada@example.org\nRCPT TO:<x>",
        "ada eve@example.org", "ada@example.org, eve@evil.example", "<ada@example.org> SIZE=1", "ada@exa mple.org",
        "ädä@example.org", "ada@" + "x" * 70 + ".org", "x" * 65 + "@example.org", "ada\0@example.org",
    ],
)  # fmt: skip
async def test_odd_addresses_are_refused_at_once(address: str, clock: SystemClock, message: Message) -> None:
    async with Sink(clock) as sink, Mailer(settings(sink), clock) as mailer:
        with pytest.raises(Undeliverable) as no:
            await mailer.send(address, message, ID)
        assert no.value.reason == "address_unreadable" and sink.connections == 0


async def test_domains_of_any_script(clock: SystemClock, message: Message) -> None:
    async with Sink(clock) as sink, Mailer(settings(sink), clock) as mailer:
        await mailer.send("ada@bücher.example", message, ID)
    assert sink.mails()[0].to == "ada@xn--bcher-kva.example"


def altered(message: Message, subject: str) -> Message:
    return Message(subject, message.text, message.html, message.sms, message.language, message.qr_says)


@pytest.mark.parametrize("subject", ["Hello\r\nBcc: eve@evil.example", "Hello\nX: y", "Hello\rX"])
async def test_headers_cannot_be_smuggled_in(subject: str, clock: SystemClock, message: Message) -> None:
    async with Sink(clock) as sink, Mailer(settings(sink), clock) as mailer:
        with pytest.raises(ValueError):
            await mailer.send(ADA, altered(message, subject), ID)
        with pytest.raises(ValueError):
            await mailer.send(ADA, message, "<x@y>\r\nBcc: eve@evil.example")
        await mailer.send(ADA, message, ID, name="Ada\r\nBcc: eve@evil.example")
    (got,) = sink.mails()
    parsed = message_from_bytes(got.raw, policy=default)
    assert got.to == ADA and parsed["Bcc"] is None


@pytest.mark.parametrize(
    "text",
    [
        "Bereit an der Abholstation Straße des 17. Juni am Großen Stern in Berlin-Tiergarten, Fach 14 von 36",
        "📦 Gotowa do odbioru: Świętokrzyska róg Żółkiewskiego 🏙️ w Śródmieściu Południowym, skrytka 14 📦📦",
        "جاهز للاستلام في محطة الطرود بجانب السوق المركزي في وسط المدينة القديمة، الباب رقم 14 من 36 بابا",
        "x" * 200, "Wörter " * 30 + "Ende", "🏙️" * 60,
    ],
)  # fmt: skip
async def test_long_headers_of_any_script_come_out_as_they_went_in(
    text: str, clock: SystemClock, message: Message
) -> None:
    async with Sink(clock) as sink, Mailer(settings(sink), clock) as mailer:
        await mailer.send(ADA, altered(message, text), ID, name="שלום אליס כהן־לוי 👩🏽 Zażółć Gęślą Jaźń")
    (got,) = sink.mails()
    assert got.subject == text
    to = str(make_header(decode_header(message_from_bytes(got.raw)["To"])))
    assert to == f"שלום אליס כהן־לוי 👩🏽 Zażółć Gęślą Jaźń <{ADA}>"
    head = got.raw.split(b"\r\n\r\n")[0]
    assert all(len(line) <= 998 for line in head.split(b"\r\n")) and not re.search(rb"\r(?!\n)|(?<!\r)\n", head)


async def test_the_sink_keeps_the_last_500(message: Message) -> None:
    clock = SystemClock()
    async with Sink(clock) as sink:
        for _ in range(501):
            sink._keep(b"Subject: x\r\n\r\nhello\r\n", [ADA])
    kept = sink.mails()
    assert (len(kept), kept[0].number, kept[-1].number) == (500, 2, 501)
    assert sink.mail(1) is None and sink.mail(501) is kept[-1]


async def test_nothing_personal_is_logged(
    clock: SystemClock, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    moods = Moods(unknown=frozenset({ADA}), vanishes=1)
    async with Sink(clock, moods=moods) as sink, Mailer(settings(sink), clock) as mailer:
        with pytest.raises(Undeliverable):
            await mailer.send(ADA, message, ID)
        with pytest.raises(Trouble):
            await mailer.send("grace@example.org", message, ID)
        await mailer.send("grace@example.org", message, ID)
    assert not re.search(r"ada@|grace@|4719|Kallio", caplog.text)
