"""Uptime, boot and health of this machine. An adapter must answer at once, from local files."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.model import Health


@runtime_checkable
class HostFacts(Protocol):
    """Reads facts about this machine and this boot."""

    def uptime_s(self) -> int:
        """Whole seconds since the boot, with the time in suspend."""
        ...

    def boot_id(self) -> str:
        """A text that is different in every boot."""
        ...

    def health(self) -> Health:
        """Whether the node can report uptime now."""
        ...
