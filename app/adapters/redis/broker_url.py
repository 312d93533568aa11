"""Reads broker URLs as the Go programs do.

``unix://var/run/redis.sock`` names, in Go, the host ``var`` and the path ``/run/redis.sock``, and only
the path is used: the line that Zero-OS ships works because /var/run is a link to /run. A user name
in a ``tcp`` or ``unix`` URL is sent as the password.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from app.domain.errors import PermanentError

SCHEMES = ("unix", "tcp", "redis")
PORT = 6379


class BrokerUrlError(PermanentError):
    """The URL can't be used; the text names it (without password) and the remedy."""


@dataclass(frozen=True, slots=True)
class BrokerUrl:
    """Where the server is: a socket's path, or host and port."""

    path: str = ""
    host: str = ""
    port: int = PORT
    database: int = 0
    password: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """For messages: the place, without secrets."""
        where = f"unix://{self.path}" if self.path else f"{self.host}:{self.port}"
        return f"{where} (database {self.database})" if self.database else where


def parse_broker_url(url: str) -> BrokerUrl:
    """``unix:///PATH[?db=N]``, ``tcp://HOST:PORT[/N]`` or ``redis://…``; `BrokerUrlError` otherwise."""
    parts = urlsplit(url)
    shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    if parts.scheme not in SCHEMES:
        raise BrokerUrlError(f"the broker URL {shown} has an unknown scheme; use unix://, tcp:// or redis://")
    try:
        port = parts.port or PORT
        query = parse_qs(parts.query).get("db", ["0"])[-1]
        database = int(query if parts.scheme == "unix" else parts.path.strip("/") or query)
    except ValueError as error:
        raise BrokerUrlError(f"the broker URL {shown} has no valid port or database number") from error
    if parts.scheme == "unix":
        if not parts.path.strip("/"):
            raise BrokerUrlError(f"the broker URL {shown} names no socket; write unix:///run/redis.sock")
        return BrokerUrl(path=parts.path, database=database, password=_password(parts))
    if not parts.hostname:
        raise BrokerUrlError(f"the broker URL {shown} names no host; write {parts.scheme}://127.0.0.1:{PORT}")
    return BrokerUrl(host=parts.hostname, port=port, database=database, password=_password(parts))


def _password(parts: SplitResult) -> str:
    if parts.password:
        return unquote(parts.password)
    return unquote(parts.username or "") if parts.scheme != "redis" else ""
