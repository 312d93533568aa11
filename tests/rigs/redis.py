"""A real Redis server for the tests, and a plain client of it.

``POWERD_TEST_REDIS_URL`` names another server; tests that kill or freeze theirs always start one of their own, of
the program that ``POWERD_TEST_REDIS_SERVER`` names, such as an older one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import redis

from app.adapters.redis.broker_url import parse_broker_url
from app.entrypoints.demo.redis_server import RedisServer

NAMES = count(1)


def server_in(directory: Path, *, persistent: bool = False) -> RedisServer:
    """A server with its data in this directory, not yet started."""
    return RedisServer(directory, persistent=persistent, binary=os.environ.get("POWERD_TEST_REDIS_SERVER", ""))


@contextmanager
def own_server(*, persistent: bool = False) -> Iterator[RedisServer]:
    """A server that a test can kill. Its directory's name is short, since the path of a socket is limited."""
    with tempfile.TemporaryDirectory(prefix="powerd-") as directory:
        server = server_in(Path(directory), persistent=persistent)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def any_server() -> Iterator[str]:
    """The URL of a server to talk to."""
    given = os.environ.get("POWERD_TEST_REDIS_URL")
    if given:
        yield given
        return
    with own_server() as server:
        yield server.url()


@contextmanager
def hand(url: str) -> Iterator[Any]:
    """A plain client, to look at the data and to change it."""
    place = parse_broker_url(url)
    where: dict[str, Any] = {"unix_socket_path": place.path} if place.path else {"host": place.host, "port": place.port}
    login: dict[str, Any] = {"username": place.user or None, "password": place.password or None}
    with redis.Redis(db=place.database, protocol=2, **login, **where) as client:
        yield client


def new_stream() -> dict[str, str]:
    """Names of this test alone, as arguments for the adapter's constructor."""
    name = f"test:{os.getpid()}:{next(NAMES)}"
    return {"stream": name, "dead_letter_stream": f"{name}:dead-letter"}
