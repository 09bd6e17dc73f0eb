"""How many live pages a process keeps open, and how many of them one network may hold.

Each open page is a connection, a task and a bell. Whoever finds no seat is not turned away: the page is told as it is
now, once, and asks again in a minute. So it stays true, a minute late, however crowded it is.
"""

import contextlib
import resource
from collections import Counter
from collections.abc import AsyncGenerator
from ipaddress import ip_address

from parcelwall.web.who import block

SOON_MS, SELDOM_MS = 500, 60_000  # after which a page asks again when its stream has ended
MOST, MOST_OF_ONE = 2000, 250  # an office or a whole mobile carrier may stand behind one address


class Seats:
    """The live pages of one process. `most` at once, `most_of_one` of them from one address block (/24, /48)."""

    def __init__(self, most: int = MOST, most_of_one: int = MOST_OF_ONE) -> None:
        self.most, self.most_of_one, self.taken = most, most_of_one, Counter[str]()

    def is_free(self, address: str, works_here: bool = False) -> bool:
        """Whoever works here finds a seat however many visitors there are. This machine's own pages, or a proxy on it
        that does not say for whom it asks, are no one network."""
        is_full = self.taken.total() >= self.most and not works_here
        return not is_full and (self.taken[block(address)] < self.most_of_one or _is_this_machine(address))

    async def seated(
        self, address: str, page: AsyncGenerator[bytes], works_here: bool = False
    ) -> AsyncGenerator[bytes]:
        """The page's frames for as long as it is open; without a seat the first one alone."""
        is_free, here = self.is_free(address, works_here), block(address)
        again = f"retry: {SOON_MS if is_free else SELDOM_MS}\n".encode()
        self.taken[here] += 1
        try:
            async with contextlib.aclosing(page):
                async for frame in page:
                    yield again + frame
                    again = b""
                    if not is_free:
                        return
        finally:
            self.taken[here] -= 1
            self.taken += Counter()  # drops those that are down to nothing


def fitting(most: int, most_of_one: int) -> Seats:
    """As many as wanted, but no more than half of the files that this process may open: stations and the database need
    the others."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(most, files // 2) if files != resource.RLIM_INFINITY else most
    return Seats(most, min(most_of_one, most))


def _is_this_machine(address: str) -> bool:
    with contextlib.suppress(ValueError):
        return ip_address(address).is_loopback
    return False
