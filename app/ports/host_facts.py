"""What the host knows of itself. Quick reads of local files: nothing here blocks or waits."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.model import Health


@runtime_checkable
class HostFacts(Protocol):
    """Facts about this machine and this boot."""

    def uptime_s(self) -> int:
        """Whole seconds since the machine was booted, time asleep included."""
        ...

    def boot_id(self) -> str:
        """A text that is new at every boot."""
        ...

    def health(self) -> Health:
        """Whether the node may claim uptime now."""
        ...
