"""Pretend hardware that speaks the real wire protocol: a pure core and two shells.

`board.PretendBoards` is the core: bytes and a time in, bytes and delays out. `pty.PtyBoards` puts it on a
pseudo-terminal in real time; `memory.MemoryBoards` behind a port in memory, with the clock passed in.
What the boards of each maker say stands in dialect_<driver>.py.
"""
