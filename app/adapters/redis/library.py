"""The parts of redis-py that powerd uses, imported without those for a cluster, sentinels and key events.

It imports these wherever it is imported, and importlib.metadata for a version that powerd does not send: 3 MiB, and
a third of the time.
"""

from __future__ import annotations

from app.adapters.libraries.left_out import left_out, unused

UNUSED = (
    *("redis.cluster", "redis.asyncio.cluster", "redis.commands.cluster"),
    *("redis.sentinel", "redis.asyncio.sentinel", "redis.commands.sentinel"),
    *("redis.keyspace_notifications", "redis.asyncio.keyspace_notifications"),
    "importlib.metadata",
)

with left_out("redis.asyncio", unused(*UNUSED)):
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
