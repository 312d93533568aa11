"""A Redis server of its own for each module that asks for one; it is emptied after every test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.entrypoints.demo.redis_server import RedisServer
from tests.rigs.redis import hand, own_server


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    """The server; not to be killed, since others of the module use it."""
    with own_server() as started:
        yield started


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator[Any]:
    """A hand on it."""
    with hand(redis_server.url()) as made:
        yield made
        made.flushall()
