"""The channel by which recipients are told: takes messages, and sometimes fails after it has taken one."""

import hashlib
from collections import Counter

from parcelwall.errors import Trouble
from parcelwall.hub.people import Person
from parcelwall.notices.failures import Undeliverable
from parcelwall.notices.messages import Message
from parcelwall.simulation.faults.kinds import Weather
from parcelwall.simulation.faults.ledger import Ledger

MOST_TRIES = 3


REFUSING, UNKNOWN = 0.2, 0.3  # shares of the rate: of addresses that are refused for days, and up to here for ever


class PostOffice:
    """What befalls a message depends on its id alone, or on its address, so that it does not matter in which order they
    come."""

    def __init__(self, weather: Weather, ledger: Ledger) -> None:
        self._weather, self._ledger = weather, ledger
        self.taken: Counter[str] = Counter()
        self._tries: Counter[str] = Counter()
        self._denied: Counter[str] = Counter()  # taken, and said not to be
        self.kills = bool({"F25", "F28", "F30"} & set(weather.rates))  # then one may come again that was taken

    async def hand_over(self, person: Person, message: Message, message_id: str) -> None:
        """Raises Trouble when it does not take it, or says so though it did; Undeliverable for good."""
        self._tries[message_id] += 1
        rate, of_address = self._weather.rate("F32"), _share(person.email or "")
        if of_address < rate * REFUSING:
            self._ledger.struck("F32", ("refused for days",))
            raise Trouble("the pretend post office has no room for this address")
        if of_address < rate * UNKNOWN:
            self._ledger.struck("F32", ("no such address",))
            raise Undeliverable("address_unknown")
        luck = _share(message_id)
        if luck < rate and self._tries[message_id] < MOST_TRIES:
            self._ledger.struck("F32", ("taken" if luck < rate / 2 else "not taken",))
            self.taken[message_id] += luck < rate / 2
            self._denied[message_id] += luck < rate / 2
            raise Trouble("the pretend post office fails")
        self.taken[message_id] += 1

    def doubles(self) -> list[str]:
        """Messages that came oftener than the post office has itself to blame for, where no hub process is killed."""
        ids = [] if self.kills else [each for each, times in self.taken.items() if times > 1 + self._denied[each]]
        return [f"INV-10: the message {each} was handed over {self.taken[each]} times" for each in ids]


def _share(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
