"""systemd as sd_notify(3) speaks to it: datagrams of ``KEY=value`` lines to the socket that it names."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)

MICROSECONDS = 1_000_000

STATUS_BYTES_MAX = 1024
"""systemd ignores a whole datagram of more than 4096 bytes, and the sign of life in it."""


class SystemdServiceManager:
    """`ServiceManager` where ``NOTIFY_SOCKET`` is set; without it every call does nothing.

    Each `running` says READY again, so that the next datagram replaces a lost one.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._watchdog_s = _watchdog_s(environment) if self._address else None
        self._warned = False

    @property
    def watchdog_s(self) -> float | None:
        return self._watchdog_s

    def starting(self, status: str, *, within_s: float) -> None:
        self._send(b"EXTEND_TIMEOUT_USEC=%d" % round(within_s * MICROSECONDS), _status(status))

    def running(self, status: str) -> None:
        self._send(b"READY=1", b"WATCHDOG=1", _status(status))

    def stuck(self, status: str) -> None:
        self._send(b"WATCHDOG=trigger", _status(status))

    def stopping(self, status: str) -> None:
        self._send(b"STOPPING=1", _status(status))

    def _send(self, *lines: bytes) -> None:
        if not self._address:
            return
        # "@" stands for the null byte of an abstract socket.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
                sender.sendto(b"\n".join(lines), address)
        except OSError as error:
            if not self._warned:
                self._warned = True
                log.warning("powerd can't report to the service manager at %s: %s", self._address, error)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """As sd_watchdog_enabled(3): only for the process that it names, where it names one."""
    of = environment.get("WATCHDOG_PID", "")
    if of and of != str(os.getpid()):
        return None
    try:
        seconds = int(environment.get("WATCHDOG_USEC", "")) / MICROSECONDS
    except ValueError:
        return None
    return seconds if seconds > 0 else None


def _status(text: str) -> bytes:
    """One line: systemd would read a second one as another key. Text from outside may have half a character."""
    line = " ".join(text.split()).encode("utf-8", "replace")
    # systemd takes no status that is not UTF-8, so a character that the limit cuts in two is left out.
    return b"STATUS=" + line[:STATUS_BYTES_MAX].decode("utf-8", "ignore").encode()
