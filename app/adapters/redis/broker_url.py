"""Reads broker URLs as the Go programs do, and their other options as redis-py does.

In Go, ``unix://var/run/redis.sock`` has the host ``var`` and the path ``/run/redis.sock``, and only the path
is used. Zero-OS' setting works because /var/run is a link to /run. A name alone in a ``tcp`` or ``unix`` URL
is the password, as in zbus. A name and a password are an ACL user.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from app.domain.errors import PermanentError
from app.domain.values import value

SCHEMES = ("unix", "tcp", "redis", "rediss")
PORT = 6379
TLS_FILES = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")
TLS_CHOICES = {"ssl_cert_reqs": ("required", "none"), "ssl_check_hostname": ("true", "false")}
ENCODE = (
    "in a user name or password, percent-encode every character but letters, digits, - . _ ~ (@ is %40, # is %23, "
    "/ is %2F)"
)

_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?")


class BrokerUrlError(PermanentError):
    """A URL that cannot be used. The text has it without user and password, and the remedy."""


@value
class BrokerUrl:
    """The server's place: a socket's path, or host and port. ``tls``: redis-py's options for TLS; None: no TLS."""

    path: str = ""
    host: str = ""
    port: int = PORT
    database: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    tls: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        """For messages: the place, without secrets."""
        where = f"unix://{self.path}" if self.path else f"{self.host}:{self.port}"
        how = "" if self.tls is None else " over TLS"
        return f"{where}{how} (database {self.database})" if self.database else f"{where}{how}"

    def hide(self, text: str) -> str:
        """``text`` without the password, since some servers repeat what they got."""
        shown = re.sub(", with args beginning with: (`[^`]*`,? ?)*", "", text)
        return shown.replace(self.password, "***") if self.password else shown


def parse_broker_url(url: str) -> BrokerUrl:
    """Read ``unix:///PATH[?db=N]``, ``tcp://HOST:PORT[/N]``, ``redis://…`` or ``rediss://…``, or `BrokerUrlError`."""
    shown = _shown(url)
    try:
        parts = urlsplit(url)
    except ValueError as error:
        # The error's text has the user and the password, and so would a traceback.
        raise BrokerUrlError(f"the broker URL {shown} can't be read; {_why(error)}{ENCODE}") from None
    if parts.scheme not in SCHEMES:
        raise BrokerUrlError(
            f"the broker URL {shown} has an unknown scheme; use unix://, tcp://, redis:// or rediss://{_meant(shown)}"
        )
    if parts.fragment or (_cut_short(parts) and "@" in parts.path + parts.query):
        raise BrokerUrlError(f"the broker URL {shown} can't be read; {ENCODE}")
    options = _options(parts, shown)
    try:
        port = parts.port or PORT
        asked = options.pop("db", "0")
        database = int(asked if parts.scheme == "unix" else parts.path.strip("/") or asked)
    except ValueError:
        database = -1
    if database < 0:
        raise BrokerUrlError(f"the broker URL {shown} has no valid port or database number") from None
    user, password = _login(parts)
    if parts.scheme == "unix":
        if not parts.path.strip("/"):
            raise BrokerUrlError(f"the broker URL {shown} names no socket; write unix:///run/redis.sock")
        return BrokerUrl(path=unquote(parts.path), database=database, user=user, password=password)
    if not parts.hostname:
        raise BrokerUrlError(f"the broker URL {shown} names no host; write {parts.scheme}://127.0.0.1:{PORT}")
    tls = options if parts.scheme == "rediss" else None
    return BrokerUrl("", unquote(parts.hostname), port, database, user, password, tls)


def _shown(url: str) -> str:
    """The URL without user, password and options. Everything before the last @ may be part of a password."""
    scheme, found, rest = url.partition("://")
    place = (rest if found else url).rpartition("@")[2].partition("?")[0]
    return f"{scheme}://{place}" if found else place or "''"


def _meant(shown: str) -> str:
    if shown.startswith("/"):
        return f" (did you mean unix://{shown}?)"
    return f" (did you mean redis://{shown}?)" if _HOST.fullmatch(shown) else ""


def _why(error: ValueError) -> str:
    return "Invalid IPv6 URL; " if str(error) == "Invalid IPv6 URL" else ""


def _cut_short(parts: SplitResult) -> bool:
    """Whether a / or ? in user or password may have ended them before their @."""
    return "@" not in parts.netloc and (parts.scheme != "unix" or ":" in parts.netloc)


def _login(parts: SplitResult) -> tuple[str, str]:
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if user and not password and parts.scheme in ("unix", "tcp"):
        return "", user
    return user, password


def _options(parts: SplitResult, shown: str) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    known = ["db", *(TLS_FILES if parts.scheme == "rediss" else ()), *(TLS_CHOICES if parts.scheme == "rediss" else ())]
    for name, given in options.items():
        if name not in known:
            raise BrokerUrlError(f"the broker URL {shown} has an unknown option; known are {', '.join(known)}")
        choices = TLS_CHOICES.get(name)
        if choices is not None and given not in choices:
            raise BrokerUrlError(f"the broker URL {shown} has a wrong {name}; write {' or '.join(choices)}")
    return options
