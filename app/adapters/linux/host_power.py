"""Orders to systemd by ``systemctl``, or by other commands that the settings name."""

from __future__ import annotations

from collections.abc import Sequence

from app.adapters.processes.orders import find_program, give_order, run_for_host

STOPPING = "stopping"
"""What ``systemctl is-system-running`` prints while the machine goes down (systemctl(1))."""


class SystemctlHostPower:
    """`HostPower` by commands, each a program with its arguments, and each with the deadline ``timeout_s``.

    An order is accepted when its command exits with 0. ``state_command`` prints the system's state. Its exit
    code is ignored (systemctl exits with 1 unless the state is "running"). It is empty where the host has no
    such command.
    """

    def __init__(
        self,
        power_off_command: Sequence[str],
        force_power_off_command: Sequence[str],
        reboot_command: Sequence[str],
        force_reboot_command: Sequence[str],
        state_command: Sequence[str],
        timeout_s: float,
    ) -> None:
        self._power_off = tuple(power_off_command)
        self._force_power_off = tuple(force_power_off_command)
        self._reboot = tuple(reboot_command)
        self._force_reboot = tuple(force_reboot_command)
        self._state = tuple(state_command)
        self._timeout_s = timeout_s

    async def check(self) -> None:
        """Find the program of the power-off command. Whether the host obeys shows only with the order."""
        find_program(self._power_off)

    async def power_off(self) -> None:
        await give_order(self._power_off, self._timeout_s)

    async def force_power_off(self) -> None:
        await give_order(self._force_power_off, self._timeout_s)

    async def reboot(self) -> None:
        await give_order(self._reboot, self._timeout_s)

    async def force_reboot(self) -> None:
        await give_order(self._force_reboot, self._timeout_s)

    async def stopping(self) -> bool:
        """Whether the state command prints ``stopping``."""
        if not self._state:
            return False
        ended = await run_for_host(self._state, self._timeout_s)
        return STOPPING in ended.tail.split()
