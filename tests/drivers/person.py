"""A pretend person at the doors, who walks along them with whoever commissions a station."""

from parcelwall.drivers import DoorState
from parcelwall.drivers.pretend.hands import Hands
from parcelwall.drivers.walk import Question


class Person:
    """Says which door moved, by the number that is printed on it, and shuts doors when asked to."""

    def __init__(self, hands: Hands, **instead: str) -> None:
        self.hands, self.instead = hands, instead
        self.asked: list[Question] = []

    async def __call__(self, question: Question) -> str:
        self.asked.append(question)
        if question.ask in self.instead:
            return self.instead[question.ask]
        open_doors = [door for door, state in self.hands.states().items() if state is DoorState.OPEN]
        if question.ask == "moved":
            return str(open_doors[0]) if open_doors else "none"
        for door in open_doors if question.ask == "shut" else ():
            self.hands.push_closed(door)
        return "yes"

    def count(self, ask: str) -> int:
        return [question.ask for question in self.asked].count(ask)
