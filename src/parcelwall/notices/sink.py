"""A mail server that delivers to nobody: it keeps the last mails in memory, for the demo and for tests.

With `Moods` it misbehaves the way real servers do, over a real connection. Only this file needs aiosmtpd, which the
extra `demo` brings.
"""

import asyncio
import contextlib
import logging
import ssl
from collections import deque
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import msgspec
from aiosmtpd.smtp import SMTP, Envelope, Session

from parcelwall.clock import Clock

KEPT = 500

logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd would log addresses and whole mails


class SunkMail(msgspec.Struct, frozen=True):
    """One mail as it came. `number` counts from 1 and is never used twice, also when old mails have been dropped."""

    number: int
    at: datetime
    sender: str
    to: str
    subject: str
    text: str
    html: str
    message_id: str
    raw: bytes


class Moods(msgspec.Struct, kw_only=True):
    """How the server misbehaves. Counts are used up one by one; all at rest is a server that takes everything."""

    busy: int = 0  # answers 451 to this many recipients
    unknown: frozenset[str] = frozenset()  # answers 550 5.1.1 to these addresses
    policy: int = 0  # answers 550 5.7.1 to this many recipients: they are not the ones whom it means
    spam: int = 0  # answers 554 5.7.1 to this many texts
    rejects: int = 0  # answers 554 to this many texts
    vanishes: int = 0  # drops the connection after this many texts, which it HAS taken, before its answer
    hangs: bool = False  # never answers to a text
    no_starttls: bool = False  # does not offer STARTTLS though it could


class Sink:
    """Listens on loopback while `async with` lasts. `port` 0 takes any free one; afterwards it is the real one."""

    def __init__(
        self, clock: Clock, port: int = 0, moods: Moods | None = None, ssl_context: ssl.SSLContext | None = None,
        tls_from_start: bool = False,
    ) -> None:  # fmt: skip
        self.port = port
        self.moods = moods or Moods()
        self.connections = 0
        self._clock = clock
        self._ssl_context = ssl_context
        self._tls_from_start = tls_from_start
        self._kept: deque[SunkMail] = deque(maxlen=KEPT)
        self._count = 0
        self._open: set[SMTP] = set()
        self._server: asyncio.Server | None = None

    def mails(self) -> list[SunkMail]:
        """The kept mails, oldest first."""
        return list(self._kept)

    def mail(self, number: int) -> SunkMail | None:
        return next((mail for mail in self._kept if mail.number == number), None)

    def cut(self) -> None:
        """Ends all connections without a word."""
        for connection in self._open:
            _cut(connection)
        self._open.clear()

    async def __aenter__(self) -> "Sink":
        tls = self._ssl_context if self._tls_from_start else None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._serve, "127.0.0.1", self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    def _serve(self) -> SMTP:
        self.connections += 1
        starttls = None if self.moods.no_starttls or self._tls_from_start else self._ssl_context
        connection = SMTP(self, hostname="sink.invalid", ident="Parcelwall sink", tls_context=starttls)
        self._open.add(connection)
        return connection

    # What aiosmtpd calls. The names are its own.

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """The answer to a recipient, as the moods have it."""
        if self.moods.busy > 0:
            self.moods.busy -= 1
            return "451 4.3.2 come back later"
        if self.moods.policy > 0:
            self.moods.policy -= 1
            return f"550 5.7.1 mail to <{address}> from a network of bad name"
        if address in self.moods.unknown:
            return f"550 5.1.1 <{address}> nobody of that name here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The answer to a text, kept if it is taken."""
        if self.moods.hangs:
            await asyncio.sleep(3600)
        if self.moods.spam > 0:
            self.moods.spam -= 1
            return "554 5.7.1 the sender's domain forbids it"
        if self.moods.rejects > 0:
            self.moods.rejects -= 1
            return "554 5.6.0 not this one"
        assert isinstance(envelope.content, bytes)
        self._keep(envelope.content, envelope.rcpt_tos)
        if self.moods.vanishes > 0:
            self.moods.vanishes -= 1
            _cut(server)
        return "250 2.0.0 taken"

    def _keep(self, raw: bytes, to: list[str]) -> None:
        mail = message_from_bytes(raw, policy=default)
        assert isinstance(mail, EmailMessage)
        self._count += 1
        self._kept.append(
            SunkMail(
                number=self._count, at=self._clock.now(), sender=str(mail["From"] or ""), to=", ".join(to),
                subject=str(mail["Subject"] or ""), text=_part(mail, "plain"), html=_part(mail, "html"),
                message_id=str(mail["Message-ID"] or ""), raw=raw,
            )
        )  # fmt: skip


def _cut(connection: SMTP) -> None:
    """Ends the connection as a lost line does: without goodbye, and without sending what waits."""
    transport: Any = connection.transport  # asyncio's or uvloop's
    if transport is not None:
        with contextlib.suppress(AttributeError):  # early 3.11 fails on a TLS line that is shut already
            transport.abort()


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
