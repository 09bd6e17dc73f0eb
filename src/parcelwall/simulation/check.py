"""`parcelwall verify`: every book by itself, and the copies that hub and stations hold of each other's entries."""

from parcelwall.hub.verify import verify_hub
from parcelwall.simulation.town import Town
from parcelwall.station.verify import verify_station


async def check_town(town: Town) -> list[str]:
    """Every difference in the books of a running town, the first one first."""
    wrong = await verify_hub(town.hub.pool)
    for station in town.stations.values():
        wrong += verify_station(station.station.memory)
    return wrong
