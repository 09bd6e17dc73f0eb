"""The permanent no of a channel. What may be tried again is `errors.Trouble`. Neither ever holds an address."""

from parcelwall.errors import ParcelwallError

# reason -> what an operator reads
UNDELIVERABLE: dict[str, str] = {
    "address_unreadable": "This is no e-mail address that mail can be sent to.",
    "address_unknown": "The mail server knows no such address or domain.",
    "mailbox_closed": "The mailbox takes no mail.",
    "refused_by_policy": "The mail server refuses mail from us to this address.",
    "recipient_refused": "The mail server refuses this address for good.",
    "message_refused": "The mail server refuses this message for good.",
    "number_unreadable": "This is no phone number.",
    "number_not_allowed": "Text messages to numbers of this range are not allowed by the settings.",
    "number_refused": "The text message service refuses this number for good.",
}


class Undeliverable(ParcelwallError):
    """This channel will never reach this person. `reason` is a key of UNDELIVERABLE, `code` the server's, 0 if ours."""

    def __init__(self, reason: str, code: int = 0) -> None:
        assert reason in UNDELIVERABLE, f"unknown reason {reason!r}: add it to UNDELIVERABLE"
        self.reason = reason
        self.code = code
        super().__init__(f"{reason}: {UNDELIVERABLE[reason]}" + (f" (answer {code})" if code else ""))
