"""A Redis server for each module that asks for one, emptied after every test, or for one test alone; a certificate."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.entrypoints.demo.redis_server import RedisServer
from tests.rigs.needs import missing
from tests.rigs.redis import hand, own_server


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    """The server. A test must not kill it, since the module's other tests use it."""
    with own_server() as started:
        yield started


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator[Any]:
    """A plain client of the server."""
    with hand(redis_server.url()) as made:
        yield made
        made.flushall()


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A server that the test can kill, configure and empty."""
    with own_server() as running:
        yield running


@pytest.fixture
def client(server: RedisServer) -> Iterator[Any]:
    with hand(server.url()) as made:
        yield made


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for the host ``localhost``, its key beside it."""
    if shutil.which("openssl") is None:
        missing("openssl")
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", str(file.with_suffix(".key"))]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(["openssl", "req", "-x509", "-days", "2", *key, *name, "-out", str(file)], check=True, timeout=60)
    return file
