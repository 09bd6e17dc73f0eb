"""Bugs to plant in the hub: each a small wrong replacement of one function. `plants.py` says how they are run."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import msgspec

from parcelwall import clock
from parcelwall.errors import Trouble
from parcelwall.hub import commands, desk, ending, followers, house, sitting, sweeps, tell
from parcelwall.hub import road as hub_road
from parcelwall.hub.ingest import Ingest
from parcelwall.journal import postgres
from parcelwall.notices.failures import Undeliverable
from parcelwall.rules import decide as rules
from parcelwall.rules import life
from simulation.planting import plant


@plant("F25")
def p01_hub_acknowledges_before_its_commit() -> None:
    right = desk.Desk.receive

    async def receive(self: Any, news: Ingest) -> int:
        try:
            return await right(self, news)
        except Exception:
            return news.entries[-1].number

    desk.Desk.receive = receive  # type: ignore[method-assign]


@plant("F22")
def p14_hub_overwrites_happened_at() -> None:
    right = sitting.Sitting.receive

    def receive(self: Any, entry: Any, fact: Any, station: str) -> Any:
        return right(self, msgspec.structs.replace(entry, happened_at=clock.text(self.now)), fact, station)

    sitting.Sitting.receive = receive  # type: ignore[method-assign]


@plant("F28")
def p15_a_restored_hub_goes_on_under_the_old_name() -> None:
    async def restored(self: Any) -> int:
        return self.streams.epoch

    house.Hub.restored = restored  # type: ignore[method-assign]


@plant("F30")
def p18_follower_passes_what_it_did_not_tell() -> None:
    right = tell.Teller.note
    tell.Teller.note = lambda self, at, entries: right(self, at, entries[: len(entries) // 2])  # type: ignore[method-assign]


@plant("F01")
def p20_learn_reads_the_clock() -> None:
    right = life._announced
    life._announced = lambda parcel, fact, at: right(parcel, fact, datetime.now(UTC))  # type: ignore[assignment]


@plant("F01")
def p21_row_changed_without_an_entry() -> None:
    def decide(self: Any, at: Any) -> Any:
        parcel = commands.own(at, self.parcel, self.carrier)
        at.book.parcels[parcel.id] = msgspec.structs.replace(parcel, mark="departed")
        at._changed[parcel.id] = at.revisions[parcel.id]
        return commands.Answer(200, commands.view(at, parcel.id))

    commands.Report.decide = decide  # type: ignore[method-assign]


@plant("F01")
def p22_second_place_silently_replaces_the_first() -> None:
    Ingest._follow_up = lambda self, at, fact, learned: None  # type: ignore[method-assign]


@plant("F01")
def p23_lapsed_without_hearing() -> None:
    right = sweeps.decide.lapse
    sweeps.decide.lapse = lambda parcel, heard, now, policy: right(parcel, now, now, policy)  # type: ignore[assignment]
    sweeps._LAPSING = """SELECT id, $1::timestamptz AS heard_until FROM parcel
        WHERE stage = 'RESERVED' AND due < $1 AND ($2::timestamptz IS NOT NULL) ORDER BY due LIMIT $3"""


@plant("F29")
def p31_two_sweeps_record_expired_twice() -> None:
    def decide(self: Any, at: Any) -> Any:
        at.record(commands.facts.Expired(parcel=self.parcel))
        return commands.Answer(200, commands.view(at, self.parcel))

    sweeps.Expire.decide = decide  # type: ignore[method-assign]


@plant("F25,F31")
def p39_answers_are_not_kept_with_what_they_answer() -> None:
    async def forget(self: Any, at: Any, fresh: Any) -> None:
        return None

    desk.Desk._note_answers = forget  # type: ignore[method-assign]


@plant("F03,F04")
def p44_a_frame_that_comes_twice_is_stored_twice() -> None:
    right = Ingest.decide

    async def decide(self: Any, at: Any) -> int:
        head = at.heads[self.writer]
        if self.entries and self.entries[-1].number <= head.number:
            self.entries = [msgspec.structs.replace(each, number=each.number + len(self.entries), hash=b"")
                            for each in self.entries]  # fmt: skip
        return await right(self, at)

    Ingest.decide = decide  # type: ignore[method-assign]


@plant("F01")
def p55_the_hub_answers_a_phone_and_has_not_stored() -> None:
    right = hub_road._answer

    async def store(hub: Any, bundle: Any, known: Any) -> int:
        return bundle.entries[-1].through if bundle.entries else (await hub.head(known.writer)).number

    hub_road._store = store  # type: ignore[assignment]
    hub_road._answer = lambda hub, header, writer, through: right(hub, header, writer, 0)  # type: ignore[assignment]


def without_lock(module: Any, name: str) -> None:
    right = getattr(module, name)
    setattr(module, name, right.replace("FOR NO KEY UPDATE", "").replace("SKIP LOCKED", ""))
    assert right != getattr(module, name)


@plant("F29")
def p65_no_lock_on_stations() -> None:
    without_lock(sitting, "_LOCK_STATIONS")
    without_lock(sitting, "_LOCK_FREE_STATIONS")


@plant("F29")
def p66_no_lock_on_parcels() -> None:
    without_lock(sitting, "_LOCK_PARCELS")


@plant("calm")
def p67_no_lock_on_writers() -> None:
    without_lock(postgres, "_LOCK")


@plant("F29")
def p68_two_processes_follow_at_once() -> None:
    right = followers._MINE
    followers._MINE = right.replace("pg_try_advisory_xact_lock(hashtext('parcelwall follower ' || name))", "name <> ''")
    assert right != followers._MINE


@plant("calm")
def p70_the_desk_fails_whoever_asks_for_more_time() -> None:
    def decide(self: Any, at: Any) -> Any:
        raise Trouble("the pretend database is gone")

    commands.Extend.decide = decide  # type: ignore[method-assign]


@plant("F32")
def p72_each_notice_goes_out_twice() -> None:
    right = tell.Teller._hand_over

    async def hand_over(self: Any, row: Any) -> None:
        with contextlib.suppress(Trouble, Undeliverable):
            await self._try(row)
        await right(self, row)

    tell.Teller._hand_over = hand_over  # type: ignore[method-assign]


@plant("F32")
def p73_a_notice_is_given_up_and_no_case_tells() -> None:
    async def for_good(self: Any, row: Any, why: str) -> tuple[str, str, None]:
        return "failed", why, None

    tell.Teller._for_good = for_good  # type: ignore[method-assign]


@plant("F39")
def p90_what_is_written_off_leaves_its_compartment_free() -> None:
    def decide(self: Any, at: Any) -> Any:
        at.record(rules.write_off(commands.own(at, self.parcel, None), self.why, self.actor))
        return commands.Answer(200, commands.view(at, self.parcel))

    ending.WriteOff.decide = decide  # type: ignore[method-assign]


@plant("F32,F39")
def p92_nobody_is_told_that_it_is_lost() -> None:
    del tell.PURPOSES["WrittenOff"]
