"""A line that can go silent: nothing is closed, nothing arrives. Bytes wait in it until it speaks again, if ever."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any


class SilentLine:
    """A relay to a unix socket or a port. It falls silent for those who stand and all who come; or it forgets who
    stands, for ever, and carries who comes."""

    def __init__(self, *to: Any) -> None:
        self._to, self._speaks, self._forgotten = to, asyncio.Event(), asyncio.Event()
        self._speaks.set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    def falls_silent(self) -> None:
        self._speaks.clear()

    def speaks(self) -> None:
        self._speaks.set()

    def forgets_who_stands(self) -> None:
        """As a firewall does that was started anew."""
        old, self._forgotten = self._forgotten, asyncio.Event()
        old.set()

    async def come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task, forgotten = asyncio.current_task(), self._forgotten
        assert task
        self.tasks.add(task)
        with contextlib.suppress(OSError):
            await self._speaks.wait()
            there, onward = await self._dial()
            await asyncio.gather(self._carry(reader, onward, forgotten), self._carry(there, writer, forgotten))

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if len(self._to) == 1:
            return await asyncio.open_unix_connection(*self._to)
        return await asyncio.open_connection(*self._to)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, forgotten: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            await self._speaks.wait()
            if forgotten.is_set():
                await asyncio.Event().wait()
            writer.write(data)
        if not forgotten.is_set():
            writer.close()


@asynccontextmanager
async def a_port(come: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[int]:
    """A port of this machine at which `come` answers."""
    server = await asyncio.start_server(come, "127.0.0.1")
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def a_line(*to: Any) -> AsyncIterator[SilentLine]:
    line = SilentLine(*to)
    try:
        async with a_port(line.come) as line.port:
            yield line
    finally:
        for task in line.tasks:
            task.cancel()
        await asyncio.gather(*line.tasks, return_exceptions=True)
