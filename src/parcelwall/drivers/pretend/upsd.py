"""A pretend `upsd`: answers LIST VAR for one power supply, as NUT does, on a port of its own."""

import asyncio


class PretendUpsd:
    """`variables` are told as they are; `error`, such as DATA-STALE, is told instead."""

    def __init__(self, name: str = "shed") -> None:
        self.name, self.error = name, ""
        self.variables = {"ups.status": "OL", "battery.charge": "100", "device.model": 'Shed "9000"'}
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Where it is to be found: name@host:port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"{self.name}@127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(self._answer(line.decode().split()).encode())
        writer.close()

    def _answer(self, words: list[str]) -> str:
        if words[:2] != ["LIST", "VAR"]:
            return "ERR UNKNOWN-COMMAND\n"
        if self.error or words[2:] != [self.name]:
            return f"ERR {self.error or 'UNKNOWN-UPS'}\n"
        told = "".join(f"VAR {self.name} {name} {_quoted(value)}\n" for name, value in self.variables.items())
        return f"BEGIN LIST VAR {self.name}\n{told}END LIST VAR {self.name}\n"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
