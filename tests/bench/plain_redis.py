"""A connection of the Redis library without powerd's code, for the floors."""

from __future__ import annotations

from typing import Any

from app.adapters.redis.broker_url import parse_broker_url


def plain_redis(url: str) -> Any:
    """One connection to a unix socket; use it with ``async with``."""
    from redis.asyncio import Redis

    place = parse_broker_url(url)
    return Redis(unix_socket_path=place.path, db=place.database, single_connection_client=True)
