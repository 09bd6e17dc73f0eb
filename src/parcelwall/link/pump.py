"""A line in memory: carries frames between a station's end and a hub's end until neither has anything to say.

For examples, replay and simulation; real lines are WebSockets (station/dial, web/link).
"""

from parcelwall.link.hub_end import HubEnd
from parcelwall.link.station_end import StationEnd


class PretendLine:
    """Both ends of one connection, and the wire between them."""

    def __init__(self, station: StationEnd, hub: HubEnd) -> None:
        self.station, self.hub = station, hub
        self.frames = 0

    async def connect(self) -> None:
        await self._to_station([self.hub.challenge()])

    async def carry(self) -> None:
        """Everything that either side has written since, with all acknowledgements."""
        await self._to_hub(self.station.beat() + self.station.news())
        await self._to_station(await self.hub.news())
        await self._to_hub(self.station.beat())

    async def _to_hub(self, messages: list[str]) -> None:
        for message in messages:
            self.frames += 1
            await self._to_station(await self.hub.hear(message))

    async def _to_station(self, messages: list[str]) -> None:
        for message in messages:
            self.frames += 1
            await self._to_hub(self.station.hear(message))
