"""What this station can give back to a hub that has lost it, and what a new computer says of the one before."""

from collections.abc import Mapping
from uuid import UUID

from parcelwall.journal import streams
from parcelwall.journal.sqlite import SqliteJournal
from parcelwall.link.frames import MOST_ITEMS
from parcelwall.link.shipping import Run
from parcelwall.rules import facts
from parcelwall.rules.facts import Fact


def lost(journal: SqliteJournal, own: str, they_have: Mapping[str, int]) -> list[Run]:
    """Runs of entries in the order in which this station learnt them: of streams that came from the hub, frame by
    frame with the signature that came with each, and what the station itself wrote between, up to the last of those.
    """
    behind = {name: number for name, number in they_have.items() if name != own and journal.head(name).number > number}
    if not behind:
        return []
    signatures = {name: journal.vouched(name, number) for name, number in behind.items()}
    ends = {name: max(each, default=0) for name, each in signatures.items()}
    wanted = {**behind, own: they_have.get(own, 0)}
    first = min(journal.arrival(name, number) for name, number in wanted.items())
    runs: list[Run] = []
    for _, writer, number in journal.marks(first):
        if writer in wanted and wanted[writer] < number <= ends.get(writer, number):
            _add(runs, writer, number, signatures.get(writer, {}).get(number, ""))
    while runs and not runs[-1].sig:  # what the station itself wrote after that goes its usual way
        runs.pop()
    return runs


def _add(runs: list[Run], writer: str, number: int, sig: str) -> None:
    """A run ends with a frame that came; one of our own with as many entries as a frame holds."""
    last = runs[-1] if runs else None
    if last and last.writer == writer and not last.sig and number - last.after <= MOST_ITEMS:
        runs[-1] = last._replace(through=number, sig=sig)
    else:
        runs.append(Run(writer, number - 1, number, sig))


def what_is_gone(journal: SqliteJournal, station: str, own: str, case: str) -> list[Fact]:
    """What a computer says that took over from another: how far it has that one's book, and that a person should look
    at what lies inside."""
    lives = (name for name in journal.writers() if not streams.is_hubs(name) and name != own)
    before = max(lives, key=streams.life_of, default=station)
    opened = facts.CaseOpened(case=UUID(case), about="journal_restored", station=station)
    return [facts.JournalRestored(before=before, number=journal.head(before).number), opened]
