"""Broker URLs are read as Go reads them, and the others as redis-py reads them."""

from __future__ import annotations

import pytest

from app.adapters.redis.broker_url import BrokerUrl, BrokerUrlError, parse_broker_url
from app.entrypoints.settings.loading import load_settings
from app.entrypoints.settings.profiles import broker_url

TLS = {"ssl_ca_certs": "/etc/ca.pem", "ssl_check_hostname": "false"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("unix:///var/run/redis.sock", BrokerUrl(path="/var/run/redis.sock")),
        ("unix://var/run/redis.sock", BrokerUrl(path="/run/redis.sock")),
        ("unix:///run/redis.sock?db=3", BrokerUrl(path="/run/redis.sock", database=3)),
        ("unix:///run/my%20redis.sock", BrokerUrl(path="/run/my redis.sock")),
        ("unix:///run/a@b/redis.sock", BrokerUrl(path="/run/a@b/redis.sock")),
        ("unix://secret@/run/redis.sock", BrokerUrl(path="/run/redis.sock", password="secret")),
        ("unix://powerd:p%2Fw@/run/redis.sock", BrokerUrl(path="/run/redis.sock", user="powerd", password="p/w")),
        ("unix://:pw@/run/redis.sock", BrokerUrl(path="/run/redis.sock", password="pw")),
        ("tcp://10.0.0.1:6380", BrokerUrl(host="10.0.0.1", port=6380)),
        ("tcp://secret@localhost", BrokerUrl(host="localhost", password="secret")),
        ("tcp://powerd:pw@localhost/2", BrokerUrl(host="localhost", user="powerd", password="pw", database=2)),
        ("redis://localhost", BrokerUrl(host="localhost")),
        ("redis://localhost:7000/5", BrokerUrl(host="localhost", port=7000, database=5)),
        ("redis://localhost?db=5", BrokerUrl(host="localhost", database=5)),
        ("redis://:p%40ss@[::1]:6379/2", BrokerUrl(host="::1", database=2, password="p@ss")),
        ("redis://user:pw@localhost", BrokerUrl(host="localhost", user="user", password="pw")),
        ("redis://us%3Aer:p%25w@localhost", BrokerUrl(host="localhost", user="us:er", password="p%w")),
        ("redis://user@localhost", BrokerUrl(host="localhost", user="user")),
        ("redis://user:p@ss@localhost", BrokerUrl(host="localhost", user="user", password="p@ss")),
        ("rediss://localhost", BrokerUrl(host="localhost", tls={})),
        (
            "rediss://user:pw@localhost:6380/1?ssl_ca_certs=/etc/ca.pem&ssl_check_hostname=false",
            BrokerUrl(host="localhost", port=6380, database=1, user="user", password="pw", tls=TLS),
        ),
    ],
)
def test_urls(url: str, expected: BrokerUrl) -> None:
    assert parse_broker_url(url) == expected


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("amqp://secret@host", ["amqp://host", "unix", "tcp", "redis", "rediss"]),
        ("", ["unknown scheme"]),
        ("/run/redis.sock", ["unknown scheme"]),
        ("unix://", ["names no socket"]),
        ("tcp://", ["names no host"]),
        ("rediss://", ["names no host", "rediss://127.0.0.1"]),
        ("tcp://host:notaport", ["port"]),
        ("tcp://host:99999", ["port"]),
        ("redis://host/notanumber", ["database"]),
        ("redis://host/-1", ["database"]),
        ("redis://host/1/2", ["database"]),
        ("redis://host?protocol=3", ["unknown option", "db"]),
        ("redis://host?ssl_ca_certs=/ca.pem", ["unknown option"]),
        ("redis://host?password=secret", ["unknown option"]),
        ("rediss://host?ssl_cert_reqs=perhaps", ["ssl_cert_reqs", "required or none"]),
        ("redis://user:sec#ret@host", ["percent-encode every"]),
        ("redis://user:sec/ret@host", ["percent-encode every"]),
        ("redis://user:sec?ret@host", ["percent-encode every"]),
        ("redis://:secret/@host:6379/1", ["percent-encode every", "redis://host:6379/1"]),
        ("unix://user:sec/ret@/run/redis.sock", ["percent-encode every"]),
        ("redis://user:[secret@host", ["percent-encode every"]),
        ("redis://user:secret\u2100@host", ["percent-encode every"]),
    ],
)
def test_what_cannot_be_used_is_named_with_a_remedy_and_without_the_password(url: str, words: list[str]) -> None:
    with pytest.raises(BrokerUrlError) as caught:
        parse_broker_url(url)
    for word in words:
        assert word in str(caught.value)
    assert "sec" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_password_is_never_shown() -> None:
    url = parse_broker_url("redis://:hidden@localhost/1")
    assert "hidden" not in repr(url)
    assert url.name == "localhost:6379 (database 1)"
    assert parse_broker_url("unix:///a/b").name == "unix:///a/b"
    assert parse_broker_url("rediss://a:hidden@b?ssl_cert_reqs=none").name == "b:6379 over TLS"
    repeated = "ERR unknown command `AUTH`, with args beginning with: `user`, `hidden`, "
    assert url.hide(repeated) == "ERR unknown command `AUTH`"
    assert url.hide("what is hidden?") == "what is ***?"


@pytest.mark.parametrize(
    ("profile", "expected"),
    [("zos", "unix:///var/run/redis.sock"), ("systemd", "redis://127.0.0.1:6379")],
)
def test_without_a_url_it_is_the_profiles(profile: str, expected: str) -> None:
    assert broker_url(load_settings(None, {}, {"profile": profile})) == expected
    given = {"profile": profile, "broker.url": "tcp://a"}
    assert broker_url(load_settings(None, {}, given)) == "tcp://a"
