"""Reports the daemon's health to the service manager, which restarts a daemon that hangs.

When the event loop hangs, the reports stop and the service manager's watchdog ends the process. The watchdog does not
see that one of the domain's loops (`Progress`) hangs; this module does.
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
"""Each sign of life extends the start by this much; the start may wait for a chain for hours."""
LATE_S_MAX = 60.0
"""A longer delay is not a busy machine: a debugger, a freezer or a signal stopped the whole process."""


class Supervision:
    """``headline`` returns in one line what the daemon is doing now."""

    def __init__(self, manager: ServiceManager, progress: Progress, clock: Clock, headline: Callable[[], str]) -> None:
        self._manager = manager
        self._progress = progress
        self._clock = clock
        self._headline = headline
        self._ready = False

    def ready(self, headline: Callable[[], str]) -> None:
        """The start is complete: it is known which node this is, and no other daemon serves it."""
        self._ready, self._headline = True, headline
        self._notify()

    def give_up(self, error: LoopStuck) -> None:
        """Ask the service manager to end the daemon, which may not end by itself."""
        self._manager.stuck(str(error))

    async def run(self) -> None:
        """Report until cancelled; raises `LoopStuck`."""
        watchdog_s = self._manager.watchdog_s
        every_s = EVERY_S_MAX if watchdog_s is None else min(watchdog_s / LOOKS_PER_WATCHDOG, EVERY_S_MAX)
        while True:
            if stuck := self._progress.stuck:
                raise LoopStuck(f"{stuck}; powerd ends, and its service manager restarts it")
            self._notify()
            began_s = self._clock.monotonic()
            await self._clock.sleep(every_s)
            late_s = self._clock.monotonic() - began_s - every_s
            if late_s > LATE_S_MAX:
                self._progress.process_stopped(late_s)

    def _notify(self) -> None:
        if self._ready:
            self._manager.running(self._headline())
        else:
            self._manager.starting(self._headline(), within_s=START_S)
