"""Serves a few pages over HTTP, for monitoring systems: GET and HEAD, one request a connection.

It runs in the daemon's own loop, without a thread. Everything is bounded: connections at once, the size of a
request, and the time for all of it, so that no client holds anything for long.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus

from app.adapters.libraries.timeouts import timeout
from app.domain.values import value

REQUEST_S_MAX = 5.0
REQUEST_BYTES_MAX = 8192
CONNECTIONS_MAX = 16

log = logging.getLogger(__name__)


@value
class Page:
    """An answer."""

    status: HTTPStatus
    content_type: str
    body: bytes


class PageServer:
    """``pages`` are made again for every request, by path."""

    def __init__(
        self, host: str, port: int, pages: Mapping[str, Callable[[], Page]], *, request_s_max: float = REQUEST_S_MAX
    ) -> None:
        self._host = host
        self._port = port
        self._pages = pages
        self._request_s_max = request_s_max
        self._connections = 0

    async def run(self, listening: Callable[[str], None]) -> None:
        """Serve until cancelled; ``listening`` gets ``http://HOST:PORT``. Raises ``OSError`` if it can't listen."""
        group = asyncio.TaskGroup()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            group.create_task(self._serve(reader, writer), name="metrics: request")

        server = await asyncio.start_server(
            connected, self._host, self._port, limit=REQUEST_BYTES_MAX, start_serving=False
        )
        host, port = server.sockets[0].getsockname()[:2]
        async with server, group:
            await server.start_serving()
            listening(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
            await server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            if self._connections <= CONNECTIONS_MAX:
                async with timeout(self._request_s_max):
                    await self._answer(reader, writer)
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            return  # the client is too slow, or away
        finally:
            self._connections -= 1
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            page, method = _says(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request is too long"), "GET"
        else:
            page, method = self._page_for(request)
        head = [
            f"HTTP/1.1 {page.status.value} {page.status.phrase}",
            f"Content-Type: {page.content_type}",
            f"Content-Length: {len(page.body)}",
            "Cache-Control: no-store",
            "Connection: close",
        ]
        if page.status is HTTPStatus.METHOD_NOT_ALLOWED:
            head.append("Allow: GET, HEAD")
        writer.write("\r\n".join([*head, "", ""]).encode() + (b"" if method == "HEAD" else page.body))
        writer.close()
        await writer.wait_closed()

    def _page_for(self, request: bytes) -> tuple[Page, str]:
        words = request.partition(b"\r\n")[0].decode("latin-1").split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return _says(HTTPStatus.BAD_REQUEST, "that is no HTTP/1.1 request"), "GET"
        method, target, _ = words
        make = self._pages.get(target.partition("?")[0])
        if make is None:
            return _says(HTTPStatus.NOT_FOUND, f"there is only {' and '.join(self._pages)}"), method
        if method not in ("GET", "HEAD"):
            return _says(HTTPStatus.METHOD_NOT_ALLOWED, "nothing can be changed here"), method
        try:
            return make(), method
        except Exception:
            # A page must not end the daemon that it shows.
            log.exception("the page %s can't be made", target)
            return _says(HTTPStatus.INTERNAL_SERVER_ERROR, "powerd has a defect; its log says more"), method


def _says(status: HTTPStatus, text: str) -> Page:
    return Page(status, "text/plain; charset=utf-8", f"{text}\n".encode())
