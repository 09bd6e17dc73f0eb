"""Several writing statements sent as one, because each round trip costs as much as many rows (docs/speed.md)."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from asyncpg import Connection

_PARAMETER = re.compile(r"\$(\d+)")


class Together:
    """Statements that write different tables, in any order; all see the database as it was before any of them."""

    def __init__(self) -> None:
        self._statements: list[str] = []
        self._values: list[Any] = []
        self._counts: list[int] = []

    def add(self, statement: str, *values: Any) -> None:
        """An INSERT or UPDATE whose parameters are numbered from $1."""
        self._statements.append(statement)
        self._values += values
        self._counts.append(len(values))

    async def run(self, connection: Connection) -> None:
        """Sends them, if there are any. What one of them violates is raised as if it had been sent alone."""
        if self._statements:
            await connection.execute(_joined(tuple(self._statements), tuple(self._counts)), *self._values)


@lru_cache(maxsize=256)
def _joined(statements: Sequence[str], counts: Sequence[int]) -> str:
    """One statement, `WITH a AS (..), b AS (..) SELECT`, the parameters numbered through."""
    parts, before = [], 0
    for place, (statement, count) in enumerate(zip(statements, counts, strict=True)):
        moved = _PARAMETER.sub(lambda found, by=before: f"${int(found[1]) + by}", statement)  # type: ignore[misc]
        parts.append(f"s{place} AS ({moved})")
        before += count
    return f"WITH {', '.join(parts)} SELECT"
