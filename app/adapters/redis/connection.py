"""One connection to Redis, which fails fast with errors of the domain. The services retry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.adapters.libraries.timeouts import timeout
from app.adapters.redis.broker_url import TLS_FILES, BrokerUrl, parse_broker_url
from app.adapters.redis.refusals import explained
from app.adapters.redis.silences import why_silent
from app.domain.errors import EventsUnavailable

if TYPE_CHECKING:
    from app.adapters.redis.library import Redis

CONNECT_S = 5.0
CONNECT_TLS_S = 4.0
"""A server without TLS does not answer a handshake. Less than the callers' 5 s, so that they get the reason."""

Command = Sequence[str | bytes | int]

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""The library raises these when it can't read a reply, or can't encode a name; and so does code that reads a reply."""


class Connection:
    """Opened on first use, and dropped after an error, so that a half-read reply is never used."""

    def __init__(self, url: str, *, answer_s: float, errors_pass: bool = True) -> None:
        self._url: BrokerUrl = parse_broker_url(url)
        self._answer_s = answer_s
        self._errors_pass = errors_pass
        self._redis: Redis | None = None
        self._answered = False
        self._turn = asyncio.Lock()

    @property
    def name(self) -> str:
        """The server, for messages."""
        return self._url.name

    @property
    def database(self) -> int:
        return self._url.database

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Any]:
        """The client, for one user at a time.

        Failures, no answer in time, and invalid answers raise `EventsUnavailable`, and the connection is
        dropped. Error replies of Redis (``NOGROUP``) pass through, or raise `EventsUnavailable` too where
        ``errors_pass`` is False; then the connection is kept.
        """
        from app.adapters.redis.library import RedisError, ResponseError

        async with self._turn, self.reading():
            try:
                if self._redis is None:
                    self._redis = self._make()
                async with timeout(self._answer_s):
                    yield self._redis
                self._answered = True
            except ResponseError as error:
                self._answered = True
                if self._errors_pass:
                    raise
                raise self.refused(error) from error
            except (RedisError, OSError, TimeoutError) as error:
                await self.close()
                raise (self.refused(error) if explained(error) else self._silent(error)) from error
            except BaseException:
                # Cancelled in the middle of a reply: its rest would be read as the next reply.
                await self.close()
                raise

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """For code that reads replies: what it can't read drops the connection, and raises `EventsUnavailable`."""
        try:
            yield
        except UNREADABLE as error:
            await self.close()
            reason = self._url.hide(f"{type(error).__name__}: {error}")
            raise EventsUnavailable(f"Redis at {self.name} sent an answer that can't be read: {reason}") from error

    async def pipeline(self, *commands: Command) -> list[Any]:
        """Send the commands in one write, and return their plain replies.

        Raises `EventsUnavailable`, also for an error reply.
        """
        replies = await self.replies(*commands)
        for reply in replies:
            if isinstance(reply, Exception):
                raise self.refused(reply)
        return replies

    async def replies(self, *commands: Command) -> list[Any]:
        """As `pipeline`, but an error reply is returned, not raised.

        The library's own pipeline takes another connection, and about twice the processor time.
        """
        from app.adapters.redis.library import ResponseError

        async with self.use() as redis:
            await redis.initialize()
            link = redis.connection
            await link.send_packed_command(link.pack_commands(commands))
            replies: list[Any] = []
            for _ in commands:
                try:
                    replies.append(await link.read_response())
                except ResponseError as error:
                    replies.append(error)
            return replies

    def refused(self, error: Exception) -> EventsUnavailable:
        """The error for an error reply, with the remedy, and without the password."""
        return EventsUnavailable(f"Redis at {self.name} refuses: {self._url.hide(explained(error))}")

    async def renew(self) -> None:
        """Drop the connection when its current user is done; the next use opens a new one."""
        async with self._turn:
            await self.close()

    async def close(self) -> None:
        """Close the connection, in use or not. The next use opens a new one."""
        redis, self._redis = self._redis, None
        if redis is not None:
            await redis.aclose()

    def _make(self) -> Redis:
        from app.adapters.redis.library import NoBackoff, Redis, Retry

        return Redis(
            **self._address(),
            db=self._url.database,
            username=self._url.user or None,
            password=self._url.password or None,
            socket_connect_timeout=CONNECT_S if self._url.tls is None else CONNECT_TLS_S,
            # The deadline is in `use`: the library's own sits on `asyncio.wait_for`, which before Python 3.12
            # swallows a cancellation that arrives together with the result.
            socket_timeout=None,
            retry=Retry(NoBackoff(), 0),
            single_connection_client=True,
            # Servers before 6.0 have no HELLO, and powerd needs nothing of RESP3.
            protocol=2,
            # Else the library sends CLIENT SETINFO, which old servers do not know and many users may not send.
            driver_info=None,
        )

    def _address(self) -> dict[str, Any]:
        url = self._url
        if url.path:
            return {"unix_socket_path": url.path}
        place: dict[str, Any] = {"host": url.host, "port": url.port}
        if url.tls is None:
            return place
        for option in TLS_FILES:
            # The library's error does not name the missing file.
            if (name := url.tls.get(option)) and not Path(name).exists():
                missing = f"{option} in broker.url names {name}, which does not exist"
                raise EventsUnavailable(f"Redis at {self.name} can't be asked: {missing}")
        verified = url.tls.get("ssl_cert_reqs", "required") == "required"
        named = verified and url.tls.get("ssl_check_hostname", "true") == "true"
        return {**place, "ssl": True, **url.tls, "ssl_check_hostname": named}

    def _silent(self, error: Exception) -> EventsUnavailable:
        reason = self._url.hide(why_silent(error, self._url, self._answer_s, ever=self._answered))
        return EventsUnavailable(f"Redis at {self.name} does not answer: {reason}")


def popped(reply: Any) -> tuple[str, bytes]:
    """The list and its element, in a reply to BLPOP. Raises one of `UNREADABLE`."""
    name, element = reply
    if not isinstance(element, bytes):
        raise TypeError(f"{element!r} is no element of a list")
    return name.decode(), element


async def all_of(pipeline: Any) -> list[Any]:
    """The pipeline's replies. The first error is raised without its command, which is long and binary."""
    replies: list[Any] = await pipeline.execute(raise_on_error=False)
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies
