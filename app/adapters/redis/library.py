"""The parts of redis-py that powerd uses, imported without clusters, sentinels, key events, caches and locks.

It imports these wherever it is imported, and importlib.metadata for a version that powerd does not send: 3 MiB, and
a third of the time. It has TLS if this process has it.
"""

from __future__ import annotations

from app.adapters.libraries.left_out import ABSENT, left_out, unused
from app.adapters.libraries.tls import without_tls

UNUSED = (
    *("redis.cluster", "redis.asyncio.cluster", "redis.commands.cluster"),
    *("redis.sentinel", "redis.asyncio.sentinel", "redis.commands.sentinel"),
    *("redis.keyspace_notifications", "redis.asyncio.keyspace_notifications"),
    *("redis.cache", "redis.lock", "redis.asyncio.lock", "importlib.metadata"),
)

with left_out("redis.asyncio", {**unused(*UNUSED), **without_tls(), "xxhash": ABSENT}):
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import (
        AuthenticationError,
        AuthorizationError,
        BusyLoadingError,
        NoPermissionError,
        RedisError,
        ResponseError,
    )

__all__ = [
    "AuthenticationError",
    "AuthorizationError",
    "BusyLoadingError",
    "NoBackoff",
    "NoPermissionError",
    "Redis",
    "RedisError",
    "ResponseError",
    "Retry",
]
