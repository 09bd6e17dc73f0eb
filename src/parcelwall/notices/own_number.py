"""Two messages without a link, so that there is nothing to follow: the number by which somebody shows that an address
is their own, and that a passkey was made."""

from markupsafe import escape

from parcelwall.notices.language import N_, Words, words
from parcelwall.notices.messages import Message

SUBJECT = N_("{number} is your number")
LEAD = N_("Type it on the page that asked for it, within 10 minutes. It opens no door.")
NOT_YOU = N_("Not you? Then do nothing. We never ask you for it.")
TEXT_MESSAGE = N_("Parcelwall: {number} is your number. Type it on the page that asked for it. It opens no door.")


MADE = N_("A passkey was made for your parcels")
MADE_LEAD = N_("It signs in to your list, and opens what is for you in person.")
MADE_NOT_YOU = N_("Not you? Say so on the page of a parcel, under “Something is wrong”.")


def compose_number(number: str, language: str) -> Message:
    """The message, as mail and as text message. `number` has six digits."""
    known = words(language)
    shown = known.upright(f"{number[:3]} {number[3:]}")
    lines = [known.say(text, number=shown) for text in (SUBJECT, LEAD, NOT_YOU)]
    return _message(lines, known.say(TEXT_MESSAGE, number=shown), known)


def compose_passkey_made(language: str) -> Message:
    """To whom it may surprise: a passkey of theirs was made just now."""
    known = words(language)
    lines = [known.say(text) for text in (MADE, MADE_LEAD, MADE_NOT_YOU)]
    return _message(lines, f"Parcelwall: {lines[0]}. {lines[2]}", known)


def _message(lines: list[str], sms: str, known: Words) -> Message:
    return Message(
        subject=lines[0], text="\n\n".join(lines) + "\n", html=_html(lines, known), sms=sms, language=known.tag
    )


def _html(lines: list[str], known: Words) -> str:
    heading, *rest = (str(escape(line)) for line in lines)
    paragraphs = "".join(f"<p>{line}</p>" for line in rest)
    return (
        f'<!doctype html><html lang="{known.tag}" dir="{known.direction}"><head><meta charset="utf-8">'
        f"<title>{heading}</title></head><body><h1>{heading}</h1>{paragraphs}</body></html>"
    )
