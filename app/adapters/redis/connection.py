"""One connection to Redis that fails fast and in the domain's words; retrying is the services' task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from app.adapters.redis.broker_url import BrokerUrl, parse_broker_url
from app.domain.errors import EventsUnavailable

if TYPE_CHECKING:
    from redis.asyncio import Redis

CONNECT_S = 5.0


class Connection:
    """Opened on first use, dropped after any error, so that nothing half-read is ever used again."""

    def __init__(self, url: str, *, answer_s: float, errors_pass: bool = True) -> None:
        self._url: BrokerUrl = parse_broker_url(url)
        self._answer_s = answer_s
        self._errors_pass = errors_pass
        self._redis: Redis | None = None
        self._turn = asyncio.Lock()

    @property
    def name(self) -> str:
        """The server, for messages."""
        return self._url.name

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Any]:
        """The client, for one user at a time.

        Errors, and no answer in time, become `EventsUnavailable`, and the connection is dropped.

        Replies that are errors of Redis itself (``NOGROUP``) pass, or (``errors_pass`` False) become
        `EventsUnavailable` too; the connection is kept.
        """
        from redis.exceptions import RedisError, ResponseError

        async with self._turn:
            try:
                if self._redis is None:
                    self._redis = self._make()
                async with asyncio.timeout(self._answer_s):
                    yield self._redis
            except ResponseError as error:
                if self._errors_pass:
                    raise
                raise EventsUnavailable(f"Redis at {self.name} refuses: {error}") from error
            except (RedisError, OSError, TimeoutError) as error:
                await self.close()
                reason = str(error) or type(error).__name__
                raise EventsUnavailable(f"Redis at {self.name} does not answer: {reason}") from error
            except BaseException:
                # Cancelled in the middle of a reply: what comes next on this connection is not ours.
                await self.close()
                raise

    async def renew(self) -> None:
        """Begin with a new connection, once whoever uses this one is done."""
        async with self._turn:
            await self.close()

    async def close(self) -> None:
        """Let go of the connection, in use or not; it is opened again on the next use."""
        redis, self._redis = self._redis, None
        if redis is not None:
            await redis.aclose()

    def _make(self) -> Redis:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        place: dict[str, Any] = (
            {"unix_socket_path": self._url.path} if self._url.path else {"host": self._url.host, "port": self._url.port}
        )
        return Redis(
            **place,
            db=self._url.database,
            password=self._url.password or None,
            socket_connect_timeout=CONNECT_S,
            # The deadline is in `use`: the library's own sits on `asyncio.wait_for`, which before Python 3.12
            # swallows a cancellation that arrives together with the result.
            socket_timeout=None,
            retry=Retry(NoBackoff(), 0),
            single_connection_client=True,
        )
