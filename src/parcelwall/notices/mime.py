"""A notice as the bytes of a mail (RFC 5322, MIME). The same notice gives the same bytes, boundaries included."""

import hashlib
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from parcelwall.notices.failures import Undeliverable
from parcelwall.notices.messages import QR_CID, Message


def write(message: Message, sender: str, to: Address, message_id: str, at: datetime) -> bytes:
    """The whole mail, 7-bit clean. `sender` is `Name <address>`, `message_id` comes with its angle brackets.

    A header cannot be smuggled in: a line break in any of them raises ValueError (the standard library's policy).
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = own_address(sender)
    mail["To"] = to
    mail["Subject"] = message.subject
    mail["Message-ID"] = message_id
    mail["Date"] = format_datetime(at)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    if message.qr:
        html = mail.get_payload()[1]  # type: ignore[index]
        html.add_related(message.qr, "image", "png", cid=f"<{QR_CID}>", disposition="inline", filename="qr.png")  # type: ignore[union-attr]
    mail["Content-Language"] = message.language
    _tidy_parts(mail, message_id)
    return mail.as_bytes()


def own_address(sender: str) -> Address:
    """From `Name <address>` of the settings. Raises ValueError if there is none in it."""
    name, address = parseaddr(sender)
    return Address(display_name=name, addr_spec=address)


def their_address(address: str, name: str = "") -> Address:
    """A recipient's address, its domain in ASCII (IDNA). Raises Undeliverable for what no mail can be sent to.

    Mailboxes that are not ASCII would need SMTPUTF8 on the whole way and are refused too.
    """
    local, _, domain = address.strip().rpartition("@")
    try:
        shown = "".join(character for character in name if character.isprintable())[:100]
        written = Address(display_name=shown.strip(), username=local, domain=domain.encode("idna").decode("ascii"))
        written.addr_spec.encode("ascii")
    except (ValueError, IndexError, UnicodeError):
        raise Undeliverable("address_unreadable") from None
    if not (local and domain) or len(local) > 64 or any(c.isspace() or not c.isprintable() for c in written.addr_spec):
        raise Undeliverable("address_unreadable")
    return written


def _tidy_parts(mail: EmailMessage, message_id: str) -> None:
    """Boundaries from the Message-ID instead of chance; MIME-Version at the top only."""
    for number, part in enumerate(mail.walk()):
        if number:
            del part["MIME-Version"]
        if part.is_multipart():
            part.set_boundary("=_" + hashlib.sha256(f"{number} {message_id}".encode()).hexdigest()[:40])
