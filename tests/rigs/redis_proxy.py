"""A proxy of a real Redis server that answers some commands itself, as another server would."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from app.entrypoints.demo.redis_server import RedisServer

Command = Sequence[bytes]
Answer = Callable[[Command], str | bytes | None]
"""The error for a command (``ERR unknown command …``), or a whole reply in bytes; None: the real server answers."""

AFTER_5_0 = frozenset(
    ("HELLO", "ACL", "XAUTOCLAIM", "LMOVE", "BLMOVE", "LPOS", "LMPOP", "BLMPOP", "GETDEL", "GETEX", "COPY", "RESET")
)
INTEGER_TIMEOUT = frozenset(("BLPOP", "BRPOP", "BRPOPLPUSH"))
NEW_OPTIONS = {b"XADD": {b"MINID", b"NOMKSTREAM", b"LIMIT"}, b"XTRIM": {b"MINID", b"LIMIT"}, b"XPENDING": {b"IDLE"}}
NEW_PARTS = {b"CLIENT": {b"SETINFO", b"NO-EVICT", b"TRACKING"}, b"XGROUP": {b"CREATECONSUMER"}}


def as_5_0(command: Command) -> str | None:
    """The answers of a server 5.0 to newer commands (compared with a real 5.0.6)."""
    name, *rest = (word.upper() for word in command)
    if name.decode() in AFTER_5_0:
        told = "".join(f"`{word.decode(errors='replace')}`, " for word in command[1:])
        return f"ERR unknown command `{command[0].decode()}`, with args beginning with: {told}"
    if name.decode() in INTEGER_TIMEOUT and not rest[-1].isdigit():
        return "ERR timeout is not an integer or out of range"
    if not NEW_OPTIONS.get(name, set()).isdisjoint(rest) or any(b"(" in word[:1] for word in rest if name[:1] == b"X"):
        return "ERR syntax error"
    if rest and rest[0] in NEW_PARTS.get(name, set()):
        return f"ERR Unknown subcommand or wrong number of arguments for '{rest[0].decode()}'"
    if name == b"AUTH" and len(rest) > 1:
        return "ERR wrong number of arguments for 'auth' command"
    return None


class Proxy:
    """``seen`` are the commands that came. A test can change ``answer`` at any time."""

    def __init__(self, server: RedisServer, directory: Path, answer: Answer) -> None:
        self._server = server
        self.answer = answer
        self.socket = directory / "proxy.sock"
        self.seen: list[list[bytes]] = []

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def count(self, name: str) -> int:
        return sum(command[0].upper() == name.encode() for command in self.seen)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to_behind = await asyncio.open_unix_connection(self._server.socket)
        try:
            while True:
                frame, words = await _command(reader)
                self.seen.append(words)
                refusal = self.answer(words)
                if refusal is not None:
                    writer.write(refusal if isinstance(refusal, bytes) else f"-{refusal}\r\n".encode())
                else:
                    to_behind.write(frame)
                    writer.write(await _reply(behind))
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass
        finally:
            for each in (writer, to_behind):
                each.close()
            for each in (writer, to_behind):
                with suppress(OSError, asyncio.CancelledError):
                    await each.wait_closed()


@asynccontextmanager
async def proxy_before(server: RedisServer, answer: Answer) -> AsyncIterator[Proxy]:
    """Serve while the body runs."""
    with tempfile.TemporaryDirectory(prefix="powerd-") as directory:
        proxy = Proxy(server, Path(directory), answer)
        tasks: set[asyncio.Task[None]] = set()

        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            await proxy.serve(reader, writer)
            tasks.discard(task)

        listening = await asyncio.start_unix_server(accepted, proxy.socket)
        try:
            yield proxy
        finally:
            listening.close()
            for task in list(tasks):
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)


async def _command(reader: asyncio.StreamReader) -> tuple[bytes, list[bytes]]:
    frame = head = await reader.readuntil(b"\r\n")
    words = []
    for _ in range(int(head[1:])):
        size = await reader.readuntil(b"\r\n")
        word = await reader.readexactly(int(size[1:]) + 2)
        frame += size + word
        words.append(word[:-2])
    return frame, words


async def _reply(reader: asyncio.StreamReader) -> bytes:
    reply = await reader.readuntil(b"\r\n")
    kind, rest = reply[:1], reply[1:-2]
    if kind == b"$" and rest != b"-1":
        reply += await reader.readexactly(int(rest) + 2)
    if kind == b"*":
        for _ in range(max(int(rest), 0)):
            reply += await _reply(reader)
    return reply
