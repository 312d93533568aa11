"""No daemon ends by an exception, whatever happens around it."""

from __future__ import annotations

from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.world.machine import Machine


class TheDaemonNeverFails(Promise):
    """Reports each exception that ends a daemon."""

    text = "no daemon ends by an exception"

    def daemon_failed(self, machine: Machine, error: BaseException) -> None:
        inner = error
        while isinstance(inner, BaseExceptionGroup):
            inner = inner.exceptions[0]
        self.broken(machine, f"the daemon failed: {inner!r}")
