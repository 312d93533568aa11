"""A Redis server behind a TCP port, with TLS or without."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.entrypoints.demo.redis_server import RedisServer


@asynccontextmanager
async def before(server: RedisServer, certificate: Path | None = None) -> AsyncIterator[int]:
    """A port of 127.0.0.1 that forwards to the server's socket. With a certificate it speaks TLS."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    tasks: set[asyncio.Task[None]] = set()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        behind, to_behind = await asyncio.open_unix_connection(server.socket)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, to_behind))
                group.create_task(_copy(behind, writer))
        except asyncio.CancelledError:
            pass
        finally:
            for each in (writer, to_behind):
                each.transport.abort()
            tasks.discard(task)

    listening = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=context)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()
