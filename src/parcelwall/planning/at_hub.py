"""How planning reaches a hub, which it does not know: the command line tells it once."""

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from parcelwall.rules.tables import AdmissionRow


class Centre(Protocol):
    """What planning needs of a hub: its database, and somebody who writes down what an operator approved."""

    dsn: str

    async def adopt_rows(
        self, rows: Sequence[AdmissionRow], plan: str = "", actor: UUID | None = None, by_row: str = "",
        after: int | None = None,
    ) -> None: ...  # fmt: skip

    async def take_tables(self, lines: Sequence[bytes], plan: str = "") -> dict[str, int]: ...


Act = Callable[[Centre], Coroutine[Any, Any, Any]]
_ways: list[Callable[[Path | None, str | None, Act], Any]] = []


def reach_hubs_by(way: Callable[[Path | None, str | None, Act], Any]) -> None:
    """Tells how a hub is reached: (data, database_url, act) -> what `act` answers there. Called once, by the command
    line."""
    _ways[:] = [way]


def at_hub(data: Path | None, database_url: str | None, act: Act) -> Any:
    """Runs `act` at the hub whose data lie there."""
    return _ways[0](data, database_url, act)


def in_database(data: Path | None, database_url: str | None, act: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    """Runs `act` on a connection to that hub's database."""

    async def there(hub: Centre) -> Any:
        import asyncpg  # a station without a hub's libraries has `parcelwall plan site`, too

        connection = await asyncpg.connect(hub.dsn)
        try:
            return await act(connection)
        finally:
            await connection.close()

    return at_hub(data, database_url, there)
