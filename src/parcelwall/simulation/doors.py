"""People at the doors of a replayed town: couriers who bring and take back, recipients who come for their parcels."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from parcelwall.errors import Refusal
from parcelwall.rules import access
from parcelwall.rules.life import Parcel
from parcelwall.rules.places import fits
from parcelwall.simulation.stories import Story
from parcelwall.simulation.town import PretendStation

if TYPE_CHECKING:
    from parcelwall.simulation.traffic import Traffic

TOLD_AFTER = timedelta(minutes=2)  # from the hub's hearing of a deposit to the recipient's first step
ASKS_FOR_MORE_BEFORE = timedelta(hours=6)
TRIES = 4
AGAIN = timedelta(days=1)
OPEN_FOR_S = 150  # a door that was not shut: the station notices, and then a passer-by pushes it


class Doors:
    """What people do at stations, with the answers they get there."""

    def __init__(self, traffic: "Traffic") -> None:
        self.traffic, self.tally, self.clock = traffic, traffic.tally, traffic.clock

    async def serve(self, what: str, who: Any) -> str:
        """What somebody came to do. Answers at which station."""
        if what == "shut":
            await self._shut(*who)
            return str(who[0].name)
        at: str = who.station
        await (self._bring(who) if what == "bring" else self._come(who))
        return at

    def _station(self, story: Story) -> PretendStation:
        return self.traffic.town.stations[story.station]

    # couriers

    async def _bring(self, story: Story) -> None:
        """A courier says who they are, takes back what is late for long, and puts the parcel in."""
        station = self._station(story)
        story.tries += 1
        station.desk.courier_by_code(station.courier_code())
        await self._take_back_late_ones(station)
        try:
            await self._put_in(station, story)
        except Refusal as no:
            self._not_taken(story, no)

    async def _put_in(self, station: PretendStation, story: Story) -> None:
        """At most four doors are tried: one may be left open by somebody, one may jam."""
        for attempt in range(TRIES):
            try:
                await station.deposit(story.offer.reference, jams=story.jams_in and attempt == 0 and story.tries == 1)
                return self._deposited(station, story)
            except Refusal as no:
                if attempt == TRIES - 1 or not await self._past(station, no):
                    raise
        return None

    async def _past(self, station: PretendStation, no: Refusal) -> bool:
        """Whether somebody at the door can do something about this refusal, and has."""
        if no.reason == "door_busy":
            await station.shut(no.details["door"])
        elif no.reason == "door_failed":
            self._jammed(station)
        elif no.reason == "codes_paused":
            await self.clock.sleep(no.details["wait_s"])
        return no.reason in ("door_busy", "door_failed", "codes_paused")

    def _jammed(self, station: PretendStation) -> None:
        self.tally.jams += 1
        self._call_somebody(station)

    def _call_somebody(self, station: PretendStation) -> None:
        self.traffic.at(self.clock.now() + timedelta(hours=self.traffic.realism.repair_after_h), "repair", station.name)

    def _deposited(self, station: PretendStation, story: Story) -> None:
        known = self._known(station, story)
        story.fate, story.deposited_at, story.collect_by = "inside", known.deposited_at, known.collect_by
        self.tally.deposited += 1
        self.tally.offline_deposits += station.is_cut
        self.traffic.untold.setdefault(station.name, []).append(story)
        if story.moved_to:
            self._call_somebody(station)  # it lies at the old station: somebody will look at the case

    def _known(self, station: PretendStation, story: Story) -> Parcel:
        assert story.parcel is not None
        known = station.station.memory.parcel(story.parcel)
        assert known is not None, "a station knows what was put into it"
        return known

    def _not_taken(self, story: Story, no: Refusal) -> None:
        """To the station the recipient asked for meanwhile, or again tomorrow, or home."""
        assert story.parcel is not None
        if no.reason == "not_for_this_station" and story.moved_to:
            story.station, story.moved_to = story.moved_to, ""
            self.traffic.at(self.clock.now() + timedelta(hours=1), "bring", story)
        elif no.reason == "deposit_too_late" or (no.reason == "not_for_this_station" and story.tries >= TRIES):
            story.fate = "lapsed"
            self.tally.lapsed += 1
            self.traffic.divert_later(story, "deposit_too_late")
        elif story.tries < TRIES:
            self.traffic.at(self.clock.now() + AGAIN, "bring", story)
        else:
            story.fate = "turned_away"
            self.tally.turned_away[no.reason] += 1
            self.traffic.divert_later(story, no.reason)

    async def _take_back_late_ones(self, station: PretendStation) -> None:
        patience = timedelta(hours=self.traffic.realism.take_back_after_h)
        for parcel in station.desk.overdue():
            if parcel.collect_by is None or self.clock.now() - parcel.collect_by < patience:
                continue
            try:
                await station.take_back(parcel.id)
            except Refusal as no:
                await self._past(station, no)
                continue
            self.traffic.stories[parcel.id].fate = "taken_back"
            self.tally.taken_back += 1

    # recipients

    def told(self, story: Story) -> None:
        """The hub knows that the parcel is in: its recipient is told, and will come, or ask for more time first."""
        assert story.deposited_at is not None and story.collect_by is not None
        comes = max(story.deposited_at + timedelta(hours=story.dwell_h), self.clock.now() + TOLD_AFTER)
        self.traffic.at(comes, "come", story)
        if story.extends and comes > story.collect_by:
            self.traffic.at(story.collect_by - ASKS_FOR_MORE_BEFORE, "extend", story)

    async def _come(self, story: Story) -> None:
        """Somebody stands there with a code; who was told that it has gone back stays at home."""
        if story.fate != "inside":
            return None
        station = self._station(story)
        assert story.parcel is not None
        code = station.code_of(story.parcel)
        if story.wrong_first:
            story.wrong_first = False
            await self._mistype(station, code)
        selector: str | None = None
        for _ in range(TRIES):
            try:
                return await self._take_out(station, story, code, selector)
            except Refusal as no:
                if no.reason == "selector_needed":
                    selector = access.selector(story.offer.reference)
                elif no.reason == "door_failed" or not await self._past(station, no):
                    return self._not_let_in(station, story, no)
        return self._not_let_in(station, story, Refusal("door_busy"))

    async def _mistype(self, station: PretendStation, code: str) -> None:
        """The last digit is one too high."""
        try:
            await station.collect(code[:-1] + str((int(code[-1]) + 1) % 10))
        except Refusal as no:
            self.tally.wrong_codes += no.reason == "wrong_code"
        else:
            self.tally.problems.append(f"INV-04: {station.name} opened a door for a wrong code")

    async def _take_out(self, station: PretendStation, story: Story, code: str, selector: str | None) -> None:
        jams, story.jams_out = story.jams_out, False
        late = self._known(station, story).collect_by
        visit = await station.collect(code, selector, jams=jams, forgets=story.forgets)
        assert story.deposited_at is not None
        story.fate = "collected"
        self.tally.late += late is not None and self.clock.now() > late
        self.tally.offline_collections += station.is_cut
        self.tally.collected_after((self.clock.now() - story.deposited_at).total_seconds() / 3600)
        if story.forgets:
            self.tally.left_open += 1
            self.traffic.at(self.clock.now() + timedelta(seconds=OPEN_FOR_S), "shut", (station, visit.compartment))

    def _not_let_in(self, station: PretendStation, story: Story, no: Refusal) -> None:
        """They come again when the door is repaired. A right code that is no right code is our fault."""
        if no.reason == "door_failed":
            self._jammed(station)
        elif no.reason != "door_busy":
            self.tally.problems.append(f"{station.name} refused the right code of {story.parcel}: {no.reason}")
        if story.tries < 4 * TRIES:
            story.tries += 1
            wait = timedelta(hours=self.traffic.realism.repair_after_h + 6)
            self.traffic.at(self.clock.now() + wait, "come", story)

    async def _shut(self, station: PretendStation, door: int) -> None:
        """The station notices the door that was left open, then a passer-by pushes it shut."""
        await station.station.keeper.watch()
        await station.shut(door)
        self._call_somebody(station)

    def size_of(self, story: Story) -> str:
        """The smallest size that the parcel would need, or "none"."""
        layout = next(iter(self.traffic.town.stations.values())).desk.plan.layout
        offer = story.offer
        sides = (offer.length_mm, offer.width_mm, offer.height_mm)
        return next((size.name for size in layout.sizes if fits(sides, offer.weight_g, size)), "none")
