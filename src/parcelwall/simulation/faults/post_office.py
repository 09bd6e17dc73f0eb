"""The channel by which recipients are told: takes messages, and sometimes fails after it has taken one."""

import hashlib
from collections import Counter

from parcelwall.errors import Trouble
from parcelwall.hub.people import Person
from parcelwall.notices.messages import Message
from parcelwall.simulation.faults.kinds import Weather
from parcelwall.simulation.faults.ledger import Ledger

MOST_TRIES = 3


class PostOffice:
    """What befalls a message depends on its id alone, so that it does not matter in which order they come."""

    def __init__(self, weather: Weather, ledger: Ledger) -> None:
        self._weather, self._ledger = weather, ledger
        self.taken: Counter[str] = Counter()
        self._tries: Counter[str] = Counter()

    async def hand_over(self, person: Person, message: Message, message_id: str) -> None:
        """Raises Trouble when it does not take it, or says so though it did."""
        self._tries[message_id] += 1
        luck = int.from_bytes(hashlib.sha256(message_id.encode()).digest()[:8], "big") / 2**64
        rate = self._weather.rate("F32")
        if luck < rate and self._tries[message_id] < MOST_TRIES:
            self._ledger.struck("F32", ("taken" if luck < rate / 2 else "not taken",))
            self.taken[message_id] += luck < rate / 2
            raise Trouble("the pretend post office fails")
        self.taken[message_id] += 1
