"""The permanent no of a channel, and the no that is about us. What may be tried again is `errors.Trouble`. None ever
holds an address."""

from parcelwall.errors import ParcelwallError, Trouble

# reason -> what an operator reads
UNDELIVERABLE: dict[str, str] = {
    "address_unreadable": "This is no e-mail address that mail can be sent to.",
    "address_unknown": "The mail server knows no such address or domain.",
    "mailbox_closed": "The mailbox takes no mail.",
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


class Unanswered(Trouble):
    """A service was asked and said nothing: it may have sent the message all the same. The next tries come seldom, as
    each may be one message more to the same person."""


class RefusedByPolicy(Trouble):
    """A mail server takes nothing from us, by its policy (RFC 3463, X.7: login, sender, reputation): no matter to whom.

    It is tried again, and somebody of ours has to see to it: `hub/needs.py` knows it by its first word. `code` is the
    server's answer.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"refused_by_policy: The mail server refuses mail from us by its policy (answer {code}). Look "
                         "at the login, at SPF, DKIM and DMARC of the sender, and at what its log says.")  # fmt: skip
