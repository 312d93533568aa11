"""A machine's uptime, boot id and health, from a clock and a switch."""

from __future__ import annotations

from app.domain.model import Health
from app.ports.clock import Clock


class SimulatedHostFacts:
    """`HostFacts` of a machine that was booted ``uptime_s`` before this object was made.

    ``problems`` is the health switch: the node is healthy while it is empty.
    """

    def __init__(self, clock: Clock, name: str = "machine", *, uptime_s: float = 0.0) -> None:
        self._clock = clock
        self._name = name
        self._boots = 1
        self._booted_at_s = clock.monotonic() - uptime_s
        self.problems: tuple[str, ...] = ()

    def uptime_s(self) -> int:
        """Whole seconds since the last boot."""
        return int(self._clock.monotonic() - self._booted_at_s)

    def boot_id(self) -> str:
        """The machine's name and how often it was booted."""
        return f"{self._name}-boot-{self._boots}"

    def health(self) -> Health:
        """Good, unless ``problems`` are set."""
        return Health(self.problems)

    def stand_still(self, seconds: float) -> None:
        """Be a virtual machine that was paused: its uptime does not count that time."""
        self._booted_at_s += seconds

    def boot(self) -> None:
        """Boot again: another boot id, and uptime from zero."""
        self._boots += 1
        self._booted_at_s = self._clock.monotonic()
