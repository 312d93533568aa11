"""Tells the service manager how the daemon does, and has a daemon that hangs ended and started anew.

A hung event loop says nothing any more, and the service manager's watchdog ends the process. A hung loop of the
domain (see `Progress`) would go unnoticed by that: it is found here.
"""

from __future__ import annotations

from collections.abc import Callable

from app.domain.errors import LoopStuck
from app.domain.services.context.progress import Progress
from app.ports.clock import Clock
from app.ports.service_manager import ServiceManager

EVERY_S_MAX = 10.0
LOOKS_PER_WATCHDOG = 4
START_S = 60.0
"""By so much each sign of life prolongs the start, which may wait for a chain for hours."""
LATE_S_MAX = 60.0
"""Later than that is no busy machine: the whole process was stopped, by a debugger, a freezer or a signal."""


class Supervision:
    """``headline`` says in one line what the daemon does now, until it is `ready`."""

    def __init__(self, manager: ServiceManager, progress: Progress, clock: Clock, headline: Callable[[], str]) -> None:
        self._manager = manager
        self._progress = progress
        self._clock = clock
        self._headline = headline
        self._ready = False

    def ready(self, headline: Callable[[], str]) -> None:
        """The start is over: it is known which node this is, and no other daemon serves it."""
        self._ready, self._headline = True, headline
        self._notify()

    def give_up(self, error: LoopStuck) -> None:
        """The daemon can't be trusted to end by itself."""
        self._manager.stuck(str(error))

    async def run(self) -> None:
        """Tell until cancelled; raises `LoopStuck`."""
        watchdog_s = self._manager.watchdog_s
        every_s = EVERY_S_MAX if watchdog_s is None else min(watchdog_s / LOOKS_PER_WATCHDOG, EVERY_S_MAX)
        while True:
            if stuck := self._progress.stuck:
                raise LoopStuck(f"{stuck}; powerd ends, and its service manager starts it anew")
            self._notify()
            began_s = self._clock.monotonic()
            await self._clock.sleep(every_s)
            late_s = self._clock.monotonic() - began_s - every_s
            if late_s > LATE_S_MAX:
                self._progress.stood_still(late_s)

    def _notify(self) -> None:
        if self._ready:
            self._manager.running(self._headline())
        else:
            self._manager.starting(self._headline(), within_s=START_S)
