"""How many seconds a person needs beside the machine's: a keystroke-level model, one letter for each thing done.

Source: S. K. Card, T. P. Moran, A. Newell, "The keystroke-level model for user performance time with interactive
systems", Communications of the ACM 23(7), 1980. A touch is their pointing (1.10 s) and their button (0.10 s), although
a finger on a key pad has a shorter way: it is an upper bound. What hands do at a door is in no such table; those three
are judgements, and nobody was timed.
"""

SECONDS = {
    "T": 1.20,  # touch one thing on a screen (P + B)
    "M": 1.35,  # make up one's mind: before a group of digits, before a choice
    "S": 2.00,  # hold something to the reader (judgement)
    "D": 3.00,  # take the parcel out, or put it in (judgement)
    "P": 1.00,  # push the door shut (judgement)
}
FOUR = "MTTTT"  # digits are read and typed four at a time


def seconds(acts: str) -> float:
    """What these acts take a person, one after the other."""
    return round(sum(SECONDS[act] for act in acts), 1)


FLOWS = {
    "recipient, QR": "SDP",
    "recipient, code": FOUR + FOUR + "DP",
    "recipient, code and last 4": FOUR + FOUR + FOUR + "DP",
    "recipient, three parcels, one code": FOUR + FOUR + "DPMTDPMTDP",
    "recipient, phone": "MTMTTTDP",
    "whoever follows it": "",
    "recipient, keeps it longer": "MTT",
    "recipient, somebody else": "MTT",
    "courier, planned parcel": "SDP",
    "courier, a door that is too small": "SMTPTDP",
    "sender, label": "SMTDP",
    "sender, send code": FOUR + FOUR + "MTDP",
}
"""What a person does in each flow. Touches among them are the taps that the page counts."""


def told(written: str, flow: str) -> list[str]:
    """The row of a flow in docs/faces.md, as its cells."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in written.splitlines() if line[:1] == "|"]
    found = [row for row in rows if row[0] == flow]
    assert len(found) == 1, f"docs/faces.md has {len(found)} rows of {flow!r}"
    return found[0]
