"""A pooler that speaks PostgreSQL's protocol. It has one session, which it lends for a transaction at a time; or one
for each who connects. As PgBouncer does, it greets in its own name."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.silent_line import a_port

Session = tuple[asyncio.StreamReader, asyncio.StreamWriter]

STARTUP = 196608  # protocol 3.0
NAME = b"user\0parcelwall\0database\0%s\0\0"
GREETING = b"R" + struct.pack("!ii", 8, 0)
OWN_NAME = b"K" + struct.pack("!iii", 12, 424242, 7)
READY = b"Z" + struct.pack("!i", 5) + b"I"


class PretendPooler:
    """`lends`: its one session, to whoever begins a transaction. It has `most`; others are greeted and wait."""

    def __init__(self, path: str, database: str, lends: bool, most: int = 100) -> None:
        self._free = asyncio.Semaphore(most)
        self._path, self._database, self._lends = path, database, lends
        self._turn, self._told = asyncio.Lock(), b""
        self._only: Session | None = None
        self.port = 0

    def close(self) -> None:
        if self._only:
            self._only[1].close()

    async def come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session: Session | None = None
        try:
            await _startup(reader, writer)
            if not self._told:
                session = await self._session()
            writer.write(GREETING + self._told + OWN_NAME + READY)
            session = session or await self._session()
            while await self._one_transaction(reader, writer, session):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            if session and session is not self._only:
                session[1].close()
                self._free.release()

    async def _session(self) -> Session:
        if self._lends and self._only:
            return self._only
        await self._free.acquire()
        there, onward = await asyncio.open_unix_connection(self._path)
        words = struct.pack("!i", STARTUP) + NAME % self._database.encode()
        onward.write(struct.pack("!i", 4 + len(words)) + words)
        told = b""
        while (message := await _message(there))[:1] != b"Z":
            told += message if message[:1] == b"S" else b""
        self._told = told
        if self._lends:
            self._only = (there, onward)
        return there, onward

    async def _one_transaction(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session
    ) -> bool:
        """False once the client has said goodbye."""
        message, turn = await _message(reader), self._turn if self._lends else asyncio.Lock()
        if message[:1] == b"X":
            return False
        async with turn:
            said: asyncio.Queue[bytes] = asyncio.Queue()
            passing = asyncio.create_task(_pass_on(session, writer, said))
            try:
                session[1].write(message)
                while message[:1] not in b"SQ" or await said.get() != b"I":
                    session[1].write(message := await _message(reader))
            finally:
                passing.cancel()
        return True


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What the client says first; a wish for TLS is refused."""
    while True:
        [length] = struct.unpack("!i", await reader.readexactly(4))
        if (await reader.readexactly(length - 4))[:4] == struct.pack("!i", STARTUP):
            return
        writer.write(b"N")


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(5)
    return head + await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)


async def _pass_on(session: Session, writer: asyncio.StreamWriter, said: asyncio.Queue[bytes]) -> None:
    """What the server says; and each time that it is ready, whether in a transaction."""
    while True:
        message = await _message(session[0])
        writer.write(message)
        if message[:1] == b"Z":
            said.put_nowait(message[-1:])


@asynccontextmanager
async def a_pooler(path: str, database: str, lends: bool, most: int = 100) -> AsyncIterator[PretendPooler]:
    pooler = PretendPooler(path, database, lends, most)
    try:
        async with a_port(pooler.come) as pooler.port:
            yield pooler
    finally:
        pooler.close()
