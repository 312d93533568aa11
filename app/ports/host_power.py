"""The host's init system."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class HostPower(Protocol):
    """Orders to the init system. Each raises `HostPowerFailed` when it was not accepted in time."""

    async def check(self) -> None:
        """Raises `HostPowerFailed`, saying why, when this host can't be powered off at all."""
        ...

    async def power_off(self) -> None:
        """Ask for an orderly power-off; returns once the order is accepted, not when it is dark."""
        ...

    async def force_power_off(self) -> None:
        """Power off without waiting for services to stop: the orderly way got stuck."""
        ...

    async def reboot(self) -> None:
        """Ask for an orderly reboot; returns once the order is accepted."""
        ...

    async def force_reboot(self) -> None:
        """Reboot without waiting for services to stop: the orderly way got stuck."""
        ...

    async def stopping(self) -> bool:
        """Whether the system is going down at this moment (systemd: ``stopping``)."""
        ...
