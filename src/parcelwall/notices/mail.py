"""Notices by e-mail: SMTP with time limits, connections used again, and two kinds of no.

`Trouble` may be tried again: no connection, no answer in time, a 4xx, or a no that is about us (login, sender, TLS).
`RefusedByPolicy` is one of these, whatever it was said to: a server that takes nothing from us would otherwise end
every notice for good, and each recipient's address would look wrong. `Undeliverable` is for good: any other 5xx to the
recipient or to the message. None holds an address nor what the server wrote, since servers like to repeat addresses.

When the connection breaks after the text went out and before the answer, nobody knows whether it was taken. Then it
is Trouble too and goes again with the same Message-ID: never missing, hardly ever double.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import msgspec
from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from parcelwall.clock import Clock
from parcelwall.errors import Trouble
from parcelwall.notices import mime
from parcelwall.notices.failures import RefusedByPolicy, Undeliverable
from parcelwall.notices.messages import Message

Tls = Literal["none", "starttls", "tls"]
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
IDLE_S = 20.0  # a connection that rested longer is not used again; servers close them after a minute or more
MAILS_PER_CONNECTION = 100


class MailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where mail is handed over. `tls`: "tls" from the first byte, "starttls" or nothing goes, "none" for loopback."""

    host: str
    port: int = 25
    user: str = ""
    password: str = ""
    sender: str
    tls: Tls = "none"
    step_s: float = 20.0  # for a connection and for each answer
    mail_s: float = 60.0  # for one mail as a whole
    connections: int = 4  # at most this many at once


class _Line:
    """One connection and what it has carried."""

    def __init__(self, smtp: SMTP) -> None:
        self.smtp = smtp
        self.mails = 0
        self.rested_at = 0.0


class Mailer:
    """Hands mails to one server. Use as `async with Mailer(...) as mailer`, or call `close()` at the end.

    Raises Trouble when made with a password that would go over a network in the clear, or a sender without an address.
    """

    def __init__(self, settings: MailSettings, clock: Clock, ssl_context: ssl.SSLContext | None = None) -> None:
        if settings.password and settings.tls == "none" and settings.host not in LOOPBACK:
            raise Trouble("the mail password would be sent in the clear: set tls to starttls or tls")
        try:
            mime.own_address(settings.sender)
        except ValueError as no:
            raise Trouble(f"`mail_from` is {settings.sender!r}, in which no mail address is: write it as "
                          "Parcels <parcels@example.org>") from no  # fmt: skip
        self._settings = settings
        self._clock = clock
        self._ssl_context = ssl_context
        self._idle: list[_Line] = []
        self._room = asyncio.Semaphore(settings.connections)

    async def __aenter__(self) -> "Mailer":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def send(self, to: str, message: Message, message_id: str, name: str = "") -> None:
        """Hands one mail over; returns when the server has taken it. `message_id` as `<...@...>`, the caller's own.

        Raises Trouble if it may be tried again, Undeliverable if never.
        """
        address = mime.their_address(to, name)
        data = mime.write(message, self._settings.sender, address, message_id, self._clock.now())
        async with self._room, self._line() as line:
            await self._hand_over(line.smtp, address.addr_spec, data)

    async def close(self) -> None:
        """Ends the connections that rest. A mail on its way ends its own."""
        while self._idle:
            await _end(self._idle.pop())

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[_Line]:
        """A connection for one mail. It rests afterwards if the server and we agree on where we are."""
        line = None
        try:
            async with asyncio.timeout(self._settings.mail_s):
                line = await self._rested() or await self._connected()
                yield line
        except Undeliverable:
            self._rest(line)
            raise
        except TimeoutError:
            _drop(line)
            raise Trouble("the mail server did not answer in time") from None
        except BaseException:
            _drop(line)
            raise
        else:
            self._rest(line)

    async def _rested(self) -> _Line | None:
        """A connection that still answers, if there is one."""
        while self._idle:
            line = self._idle.pop()
            if self._clock.mono() - line.rested_at < IDLE_S:
                try:
                    await line.smtp.rset()
                    return line
                except (SMTPException, OSError):
                    pass
            _drop(line)
        return None

    async def _connected(self) -> _Line:
        settings = self._settings
        smtp = SMTP(
            hostname=settings.host, port=settings.port, timeout=settings.step_s, tls_context=self._ssl_context,
            use_tls=settings.tls == "tls", start_tls=settings.tls == "starttls",
            username=settings.user or None, password=settings.password or None,
        )  # fmt: skip
        try:
            await smtp.connect()
        except (SMTPException, OSError, ValueError) as no:
            smtp.close()
            _refuse_policy(no)
            raise Trouble(f"no connection to the mail server: {_why(no)}") from None
        return _Line(smtp)

    async def _hand_over(self, smtp: SMTP, to: str, data: bytes) -> None:
        """MAIL, RCPT, DATA, one by one, so that each no is known for what it is about."""
        try:
            await smtp.mail(mime.own_address(self._settings.sender).addr_spec)
            await smtp.rcpt(to)
            await smtp.data(data)
        except SMTPRecipientRefused as no:
            await self._refused(no, _about_recipient(no))
        except SMTPDataError as no:
            await self._refused(no, "message_refused")
        except (SMTPException, OSError) as no:
            _refuse_policy(no)
            raise Trouble(f"the mail server did not take it: {_why(no)}") from None

    async def _refused(self, no: SMTPResponseException, reason: str) -> None:
        _refuse_policy(no)
        if no.code < 500 or no.code == 521:  # 521: it takes no mail at all (RFC 7504), which is not about this one
            raise Trouble(f"the mail server asks to come back later: {_why(no)}") from None
        raise Undeliverable(reason, no.code) from None

    def _rest(self, line: _Line | None) -> None:
        if line is None:
            return
        line.mails += 1
        if line.mails >= MAILS_PER_CONNECTION or not line.smtp.is_connected:
            _drop(line)
        else:
            line.rested_at = self._clock.mono()
            self._idle.append(line)


def _about_recipient(no: SMTPResponseException) -> str:
    """The reason that the enhanced status code names (RFC 3463), where the server gives one."""
    kinds = {"5.1.": "address_unknown", "5.2.": "mailbox_closed"}
    return kinds.get(no.message.strip()[:4], "recipient_refused")


def _refuse_policy(no: Exception) -> None:
    """Raises RefusedByPolicy for an answer of that class. A 4.7.x passes by itself, as greylisting does."""
    if isinstance(no, SMTPResponseException) and no.code >= 500 and no.message.strip().startswith("5.7."):
        raise RefusedByPolicy(no.code) from None


def _why(no: Exception) -> str:
    """The kind of failure and its code. Never the server's words, which may repeat an address."""
    code = f" {no.code}" if isinstance(no, SMTPResponseException) else ""
    return f"{type(no).__name__}{code}"


def _drop(line: _Line | None) -> None:
    if line is not None:
        line.smtp.close()


async def _end(line: _Line) -> None:
    """Says goodbye, and does not wait long for the answer."""
    try:
        async with asyncio.timeout(2):
            await line.smtp.quit()
    except (SMTPException, OSError, TimeoutError):
        _drop(line)
