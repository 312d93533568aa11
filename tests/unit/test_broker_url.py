"""Broker URLs mean what Go makes of them."""

from __future__ import annotations

import pytest

from app.adapters.redis.broker_url import BrokerUrl, BrokerUrlError, parse_broker_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("unix:///var/run/redis.sock", BrokerUrl(path="/var/run/redis.sock")),
        ("unix://var/run/redis.sock", BrokerUrl(path="/run/redis.sock")),
        ("unix:///run/redis.sock?db=3", BrokerUrl(path="/run/redis.sock", database=3)),
        ("unix://secret@/run/redis.sock", BrokerUrl(path="/run/redis.sock", password="secret")),
        ("tcp://10.0.0.1:6380", BrokerUrl(host="10.0.0.1", port=6380)),
        ("tcp://secret@localhost", BrokerUrl(host="localhost", password="secret")),
        ("redis://localhost", BrokerUrl(host="localhost")),
        ("redis://localhost:7000/5", BrokerUrl(host="localhost", port=7000, database=5)),
        ("redis://:p%40ss@[::1]:6379/2", BrokerUrl(host="::1", database=2, password="p@ss")),
        ("redis://user:pw@localhost", BrokerUrl(host="localhost", user="user", password="pw")),
    ],
)
def test_urls(url: str, expected: BrokerUrl) -> None:
    assert parse_broker_url(url) == expected


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("amqp://secret@host", ["amqp://host", "unix", "tcp", "redis"]),
        ("", ["unknown scheme"]),
        ("/run/redis.sock", ["unknown scheme"]),
        ("unix://", ["names no socket"]),
        ("tcp://", ["names no host"]),
        ("tcp://host:notaport", ["port"]),
        ("tcp://host:99999", ["port"]),
        ("redis://host/notanumber", ["database"]),
    ],
)
def test_what_cannot_be_used_is_named_with_a_remedy_and_without_the_password(url: str, words: list[str]) -> None:
    with pytest.raises(BrokerUrlError) as caught:
        parse_broker_url(url)
    for word in words:
        assert word in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_password_is_never_shown() -> None:
    url = parse_broker_url("redis://:hidden@localhost/1")
    assert "hidden" not in repr(url)
    assert url.name == "localhost:6379 (database 1)"
    assert parse_broker_url("unix:///a/b").name == "unix:///a/b"
