"""The program that starts and restarts this daemon, and gets reports of its progress."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class ServiceManager(Protocol):
    """No call fails or blocks: a service manager that can't be reached changes nothing for the daemon.

    ``status`` is one line for people: what the daemon does now.
    """

    @property
    def watchdog_s(self) -> float | None:
        """Without `running` for this many seconds it ends the daemon; None: it does not watch."""
        ...

    def starting(self, status: str, *, within_s: float) -> None:
        """The start goes on; the next report comes within ``within_s`` seconds."""
        ...

    def running(self, status: str) -> None:
        """The start is over, and the daemon is well."""
        ...

    def stuck(self, status: str) -> None:
        """The daemon can't go on, and must be ended and restarted at once."""
        ...

    def stopping(self, status: str) -> None:
        """The daemon is about to end by itself."""
        ...
