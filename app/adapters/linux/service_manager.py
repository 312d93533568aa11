"""systemd as sd_notify(3) speaks to it: datagrams of ``KEY=value`` lines to the socket that it names."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)

MICROSECONDS = 1_000_000


class SystemdServiceManager:
    """`ServiceManager` where ``NOTIFY_SOCKET`` is set; without it every call does nothing.

    Each `running` says READY again: a datagram that was lost is made up for by the next one.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._watchdog_s = _watchdog_s(environment) if self._address else None
        self._complained = False

    @property
    def watchdog_s(self) -> float | None:
        return self._watchdog_s

    def starting(self, status: str, *, within_s: float) -> None:
        self._send(f"EXTEND_TIMEOUT_USEC={within_s * MICROSECONDS:.0f}", _status(status))

    def running(self, status: str) -> None:
        self._send("READY=1", "WATCHDOG=1", _status(status))

    def stuck(self, status: str) -> None:
        self._send("WATCHDOG=trigger", _status(status))

    def stopping(self, status: str) -> None:
        self._send("STOPPING=1", _status(status))

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        # "@" stands for the null byte of an abstract socket.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
                sender.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            if not self._complained:
                self._complained = True
                log.warning("the service manager at %s does not hear how powerd does: %s", self._address, error)


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


def _status(text: str) -> str:
    """One line: another one would be read as a key of its own."""
    return "STATUS=" + " ".join(text.split())
