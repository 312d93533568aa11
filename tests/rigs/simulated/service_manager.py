"""A service manager that records the calls."""

from __future__ import annotations


class SimulatedServiceManager:
    """`ServiceManager`; ``heard`` has one entry a call: its name and the status."""

    def __init__(self, watchdog_s: float | None = None) -> None:
        self.watchdog_s = watchdog_s
        self.heard: list[tuple[str, str]] = []

    def starting(self, status: str, *, within_s: float) -> None:
        self.heard.append(("starting", status))
        self.start_within_s = within_s

    def running(self, status: str) -> None:
        self.heard.append(("running", status))

    def stuck(self, status: str) -> None:
        self.heard.append(("stuck", status))

    def stopping(self, status: str) -> None:
        self.heard.append(("stopping", status))
