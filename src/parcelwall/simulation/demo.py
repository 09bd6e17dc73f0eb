"""The demo: a hub, stations in Helsinki on pretend boards that speak real bytes, a mail sink, pretend people.

Everything between the people is real: HTTP, the link over WebSocket, serial bytes over pseudo-terminals, SMTP. Three
stations have a screen to stand before and a serial line each. A whole town has nine more without a screen, whose boards
speak the same bytes in memory, and a week behind it (`simulation/past.py`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from parcelwall.clock import Clock
from parcelwall.drivers import connect
from parcelwall.drivers.pretend.board import PretendBoards
from parcelwall.drivers.pretend.memory import MemoryBoards
from parcelwall.drivers.pretend.pty import PtyBoards
from parcelwall.hub import couriers
from parcelwall.hub import house as hub_house
from parcelwall.hub.house import Hub
from parcelwall.hub.running import running
from parcelwall.ids import Ids
from parcelwall.notices.sink import Sink
from parcelwall.rules import access, facts
from parcelwall.rules.layout import plain_layout
from parcelwall.settings import HubSettings
from parcelwall.simulation import past
from parcelwall.simulation.pace import Pace, in_frames, noticing
from parcelwall.simulation.town import pretend_profile
from parcelwall.station import dial
from parcelwall.station import house as station_house
from parcelwall.station.house import Station
from parcelwall.station.memory import Memory
from parcelwall.web.app import hub_app
from parcelwall.web.beside import beside
from parcelwall.web.console.gate import Kiosks
from parcelwall.web.demo import PAGES, Pretend, Stage, ring_all
from parcelwall.web.demo_town import PAGES as TOWN_PAGES
from parcelwall.web.demo_town import Followed, Living, Pacing
from parcelwall.web.kiosk import Gate, kiosk_app
from parcelwall.web.reader import renderer
from parcelwall.web.serving import listen, serving
from parcelwall.web.tiles import HELSINKI as STREETS
from parcelwall.web.tiles import Tiles

HELSINKI = (
    ("S-0001", "Kluuvi", "Aleksanterinkatu 9", 60.1692, 24.9440,
     "SSSSSSMMSSSL SSSMMMMMSSSS MMSSSSSSLSSS SSMMMMMSSSSS", 2),
    ("S-0002", "Simonkatu", "Simonkatu 6", 60.1699, 24.9374, "SSSSMMSSSL SSMMMMMSSS MMSSSSSLSS", 1),
    ("S-0003", "Kruununhaka", "Liisankatu 12", 60.1702, 24.9508, "SSSSSSML SSMMMMSS", 1),
)  # fmt: skip
AROUND = (
    ("S-0004", "Rautatieasema", "Kaivokatu 1", 60.1718, 24.9418, "SSSSSSMMSSSL SSSMMMMMSSSS MMSSSSSSLSSS", 1),
    ("S-0005", "Kaisaniemi", "Kaisaniemenkatu 6", 60.1716, 24.9478, "SSSSMMSSSL MMSSSSSLSS", 1),
    ("S-0006", "Esplanadi", "Pohjoisesplanadi 21", 60.1683, 24.9478, "SSSSMMSSSL SSMMMMMSSS", 1),
    ("S-0007", "Erottaja", "Erottajankatu 9", 60.1686, 24.9405, "SSSSSSML SSMMMMSS SSMMMMSS", 1),
    ("S-0008", "Kamppi", "Urho Kekkosen katu 1", 60.1690, 24.9363, "SSSSMMSSSL SSMMMMMSSS MMSSSSSLSS", 1),
    ("S-0009", "Yliopisto", "Fabianinkatu 33", 60.1698, 24.9470, "SSSSSSML SSMMMMSS", 1),
    ("S-0010", "Kasarmitori", "Kasarmikatu 25", 60.1664, 24.9472, "SSSSMMSSSL MMSSSSSLSS", 1),
    ("S-0011", "Kolmikulma", "Uudenmaankatu 1", 60.1665, 24.9428, "SSSSSSML SSMMMMSS", 1),
    ("S-0012", "Yrjönkatu", "Yrjönkatu 29", 60.1672, 24.9384, "SSSSSSML SSMMMMSS", 1),
)  # fmt: skip
OFFICE = (
    ("operator", "Aada", "admin"), ("kaisa", "Kaisa", "operator"), ("noor", "Noor", "operator"),
    ("timo", "Timo", "technician"), ("pia", "Pia", "planner"), ("wall", "Wall screen", "viewer"),
)  # fmt: skip
COURIER = UUID("0198f000-0000-7000-8000-00000000c0de")
SWEEP_EVERY_S = 5.0
RING_EVERY_S = 0.5


class Beside(msgspec.Struct):
    """A station of the town without a screen: its computer, its boards in memory, its line."""

    station: Station
    boards: MemoryBoards
    line: dial.Line


class Demo(msgspec.Struct):
    """A running demo: its hub, its stations, its mails, its addresses and keys."""

    hub: Hub
    stations: dict[str, Pretend]
    sink: Sink
    url: str
    carrier_key: str
    operator_key: str
    tries: list[tuple[str, str]]

    def labels(self, station: str) -> list[str]:
        """Labels of parcels that are expected at a station: what a courier would hold in hand."""
        return self._labels.get(station, [])

    followed: Followed | None = None
    """The parcel that the page of all five faces shows."""

    told: list[tuple[datetime, str]] = msgspec.field(default_factory=list)

    def tell(self, text: str) -> None:
        """What the pretend people have just done, in words."""
        self.told = [*self.told[-20:], (self.hub.clock.now(), text)]

    _labels: dict[str, list[str]] = msgspec.field(default_factory=dict)
    around: dict[str, Beside] = msgspec.field(default_factory=dict)

    def expect(self, station: str, label: str) -> None:
        self._labels[station] = [label, *(each for each in self.labels(station) if each != label)][:8]

    def arrived(self, station: str, label: str) -> None:
        self._labels[station] = [each for each in self.labels(station) if each != label]


def configured(row: tuple[str, str, str, float, float, str, int]) -> facts.StationConfigured:
    station, name, address, lat, lon, columns, panel_after = row
    return facts.StationConfigured(
        station=station, name=name, address=address, lat=lat, lon=lon, zone="Europe/Helsinki",
        layout=plain_layout(columns, panel_after),
    )  # fmt: skip


def codes_of_today(hub: Hub, demo: Demo) -> list[tuple[str, str]]:
    """What the demo's courier types at each kiosk today."""
    now = hub.clock.now()
    return [
        (f"Courier's code of today at {known.about.name}",
         access.courier_code(known.courier_key, name, COURIER, now.astimezone(ZoneInfo(known.about.zone)).date()))
        for name, known in sorted(hub.stations.known.items()) if name in demo.stations
    ]  # fmt: skip


@asynccontextmanager
async def a_demo(
    data_dir: Path, port: int, clock: Clock, ids: Ids, whole_town: bool = False, pace: Pace | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[Demo]:  # fmt: skip
    """A demo on ports `port` (hub) and the three after it (kiosks). Port 0: any free ones.

    `whole_town`: a dozen stations instead of three, and on its first day a week behind it. `pace`: how fast its day
    goes, of the same clock. `say` hears what takes a while, before it does.
    """
    async with AsyncExitStack() as stack:
        sockets = [listen("127.0.0.1", port + place if port else 0) for place in range(len(HELSINKI) + 1)]
        url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        sink = await stack.enter_async_context(Sink(clock))
        if whole_town and not (data_dir / "hub").exists():
            say("Making a database, and living a week in the town: once, and up to a minute …")
            await past.live(data_dir, [configured(row) for row in (*HELSINKI, *AROUND)], clock.now(), COURIER)
        settings = HubSettings(data_dir=data_dir / "hub", smtp_host="127.0.0.1", smtp_port=sink.port,
                               public_url=url.replace("127.0.0.1", "localhost"),  # passkeys belong to a name
                               link_names=url.removeprefix("http://"))  # fmt: skip
        say(hub_house.beginning(settings.data_dir))
        hub = await stack.enter_async_context(hub_house.opened(settings.data_dir, clock, ids))
        say("Starting the stations …")
        keys = {who: await hub.admit(who, name, role) for who, name, role in OFFICE}
        demo = Demo(hub, {}, sink, url, await hub.admit("demo-post", "Demo Post"), keys["operator"], [])
        demo.tries += [("API key of a carrier", demo.carrier_key), ("API key of the operator", demo.operator_key)]
        demo.tries.append(("A code that signs in a courier's phone, once", (await couriers.invite(hub, COURIER))[0]))
        stage = Stage(demo.stations, sink, lambda: demo.tries + codes_of_today(hub, demo), demo.labels, OFFICE)
        kiosks, beat_every_s = Kiosks({}, open_to_all=True), pace.beat_every_s if pace else dial.BEAT_EVERY_S
        await stack.enter_async_context(running(hub, settings, SWEEP_EVERY_S))
        living = Living(lambda: demo.followed, lambda: demo.told, lambda: _pacing(pace), lambda fast: _go(pace, fast),
                        COURIER)  # fmt: skip
        app = hub_app(hub, kiosks, [*PAGES, *TOWN_PAGES], {"stage": stage, "living": living}, Tiles(STREETS))
        app = in_frames(noticing(app, pace.act)) if pace else app
        await stack.enter_async_context(serving(app, sockets[0]))
        for row, bound in zip(HELSINKI, sockets[1:], strict=True):
            pretend = await _station(stack, hub, data_dir, url, row, bound, clock, ids, beat_every_s, bool(pace))
            demo.stations[row[0]] = pretend
            kiosks.urls[row[0]] = pretend.kiosk_url
        if whole_town:
            demo.around = await _around(stack, hub, data_dir, url, clock, ids, beat_every_s)
        await stack.enter_async_context(beside({"bells": _ring(hub), **({"pace": pace.run()} if pace else {})}))
        yield demo


async def _ring(hub: Hub) -> None:
    """The doors and the mails change without an entry: the demo's pages look twice a second."""
    while True:
        ring_all(hub.bells)
        await asyncio.sleep(RING_EVERY_S)


def _pacing(pace: Pace | None) -> Pacing:
    return Pacing(pace.speed, pace.wanted, pace.rests) if pace else Pacing(1.0, False, False)


def _go(pace: Pace | None, fast: bool) -> None:
    if pace:
        pace.wanted = fast and pace.speed > 1


async def _station(stack, hub, data_dir, url, row, bound, clock, ids, beat_every_s, framed) -> Pretend:  # type: ignore[no-untyped-def]
    """One station: configured and enrolled on its first day, then opened, dialling and showing its screen."""
    about = configured(row)
    path = data_dir / "stations" / f"{about.station}.sqlite"
    if about.station not in hub.stations.known:
        await hub.configure(about)
    await _enrolled(hub, path, about.station, url, clock, ids)
    ports = data_dir / "ports"
    ports.mkdir(parents=True, exist_ok=True)
    profile = pretend_profile(about.layout, str(ports / about.station))
    boards = PtyBoards(PretendBoards(profile, ids.chance), clock, ports / about.station)
    await boards.start()
    stack.push_async_callback(boards.close)
    station = await stack.enter_async_context(station_house.opened(path, connect(profile, clock), clock, ids))
    line = dial.Line(station, url, beat_every_s)
    host = f"127.0.0.1:{bound.getsockname()[1]}"
    gate = Gate(ids, host, open_to_all=True, on_pass=lambda _: None)
    await stack.enter_async_context(_alive(station, line))
    app = kiosk_app(station, renderer(), gate)
    await stack.enter_async_context(serving(in_frames(app) if framed else app, bound))
    return Pretend(station, boards, line, f"http://{host}/begin")


async def _around(
    stack: AsyncExitStack, hub: Hub, data_dir: Path, url: str, clock: Clock, ids: Ids, beat_every_s: float
) -> dict[str, Beside]:  # fmt: skip
    """The stations without a screen, opened and dialling."""
    opened = {}
    for row in AROUND:
        about = configured(row)
        path = data_dir / "stations" / f"{about.station}.sqlite"
        if about.station not in hub.stations.known:
            await hub.configure(about)
        await _enrolled(hub, path, about.station, url, clock, ids)
        boards = MemoryBoards(PretendBoards(pretend_profile(about.layout), ids.chance), clock)
        doors = connect(boards.core.profile, clock, open_port=boards.open_port)
        station = await stack.enter_async_context(station_house.opened(path, doors, clock, ids))
        opened[about.station] = Beside(station, boards, dial.Line(station, url, beat_every_s))
        await stack.enter_async_context(_alive(station, opened[about.station].line))
    return opened


def _alive(station: Station, line: dial.Line) -> AbstractAsyncContextManager[None]:
    """A station's loops for as long as the demo lasts."""
    name = station.memory.station
    return beside({f"station {name}": station.run(), f"line of {name}": line.run()})


async def _enrolled(hub: Hub, path: Path, station: str, url: str, clock: Clock, ids: Ids) -> None:
    """The first start of a station's computer: claim code, own key, one courier admitted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    memory = Memory(path, clock)
    try:
        if not memory.station:
            await dial.enrol(memory, url, await hub.claim(station), clock, ids)
            grant = facts.Granted(
                grant=ids.new(), station=station, may=("deposit", "take_back"), courier=COURIER
            )  # fmt: skip
            await hub.grant(grant)
    finally:
        memory.close()
