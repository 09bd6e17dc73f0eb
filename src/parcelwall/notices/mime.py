"""A notice as the bytes of a mail (RFC 5322, MIME). The same notice gives the same bytes, boundaries included."""

import hashlib
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr

from parcelwall.notices.failures import Undeliverable
from parcelwall.notices.messages import QR_CID, Message

LONGEST_NAME = 100
LONGEST_LINE = 900  # of 998 that RFC 5322 allows
FOLD = "\r\n"


def write(message: Message, sender: str, to: Address, message_id: str, at: datetime) -> bytes:
    """The whole mail, 7-bit clean. `sender` is `Name <address>`, `message_id` comes with its angle brackets.

    No header can be smuggled in: ValueError for a line break or any other control character in one.
    """
    heads = [
        _address_line("From", own_address(sender)),
        _address_line("To", to),
        _line("Subject", message.subject),
        _line("Message-ID", message_id),
        _line("Date", format_datetime(at)),
        _line("Content-Language", message.language),
        _line("Auto-Submitted", "auto-generated"),  # RFC 3834: no out-of-office answers
    ]
    return "".join(head + FOLD for head in heads).encode("ascii") + _body(message, message_id)


def own_address(sender: str) -> Address:
    """From `Name <address>` of the settings. Raises ValueError if there is none in it."""
    name, address = parseaddr(sender)
    if not all(address.rpartition("@")):
        raise ValueError("a sender needs a mailbox and a domain")
    return Address(display_name=name, addr_spec=address)


def their_address(address: str, name: str = "") -> Address:
    """A recipient's address, its domain in ASCII (IDNA). Raises Undeliverable for what no mail can be sent to.

    Mailboxes that are not ASCII would need SMTPUTF8 on the whole way and are refused too.
    """
    local, _, domain = address.strip().rpartition("@")
    shown = "".join(character for character in name if character.isprintable())[:LONGEST_NAME]
    try:
        written = Address(display_name=shown.strip(), username=local, domain=domain.encode("idna").decode("ascii"))
        written.addr_spec.encode("ascii")
    except (ValueError, IndexError, UnicodeError):
        raise Undeliverable("address_unreadable") from None
    if not (local and domain) or len(local) > 64 or any(c.isspace() or not c.isprintable() for c in written.addr_spec):
        raise Undeliverable("address_unreadable")
    return written


def _line(name: str, value: str) -> str:
    """One header, folded if it has to be encoded. By the older `email.header`, because the newer folding of Python
    3.11 loses spaces between encoded words."""
    if not value.isprintable():
        raise ValueError(f"{name} holds a control character")
    if value.isascii() and len(value) < LONGEST_LINE:
        return f"{name}: {value}"
    return f"{name}: {Header(value, header_name=name).encode(linesep=FOLD)}"


def _address_line(name: str, address: Address) -> str:
    if address.display_name.isascii():
        return f"{name}: {formataddr((address.display_name, address.addr_spec))}"
    return f"{_line(name, address.display_name)}{FOLD} <{address.addr_spec}>"


def _body(message: Message, message_id: str) -> bytes:
    """The MIME headers, an empty line and the parts: text, and HTML with its picture."""
    mail = EmailMessage(policy=SMTP)
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    if message.qr_says:
        page: EmailMessage = mail.get_payload()[1]  # type: ignore[index, assignment]
        page.add_related(message.qr, "image", "png", cid=f"<{QR_CID}>", disposition="inline", filename="qr.png")
    _tidy_parts(mail, message_id)
    return mail.as_bytes()


def _tidy_parts(mail: EmailMessage, message_id: str) -> None:
    """Boundaries from the Message-ID instead of chance; MIME-Version at the top only."""
    for number, part in enumerate(mail.walk()):
        if number:
            del part["MIME-Version"]
        if part.is_multipart():
            part.set_boundary("=_" + hashlib.sha256(f"{number} {message_id}".encode()).hexdigest()[:40])
