"""Orders to systemd through ``systemctl``, or through whatever commands the settings name."""

from __future__ import annotations

from collections.abc import Sequence

from app.adapters.linux.command import Ended, run_command
from app.domain.errors import HostPowerFailed

STOPPING = "stopping"
"""What ``systemctl is-system-running`` prints while the machine goes down (systemctl(1))."""


class SystemctlHostPower:
    """`HostPower` by commands, each a program and its arguments, each given ``timeout_s``.

    An order is accepted when its command exits with 0. ``state_command`` prints the system's
    state, and its exit code means nothing (systemctl exits with 1 unless all is well); empty where
    the host can't tell.
    """

    def __init__(
        self,
        power_off_command: Sequence[str],
        force_power_off_command: Sequence[str],
        reboot_command: Sequence[str],
        state_command: Sequence[str],
        timeout_s: float,
    ) -> None:
        self._power_off = tuple(power_off_command)
        self._force_power_off = tuple(force_power_off_command)
        self._reboot = tuple(reboot_command)
        self._state = tuple(state_command)
        self._timeout_s = timeout_s

    async def power_off(self) -> None:
        """Run the power-off command."""
        await self._order(self._power_off)

    async def force_power_off(self) -> None:
        """Run the command for the way without ceremony."""
        await self._order(self._force_power_off)

    async def reboot(self) -> None:
        """Run the reboot command."""
        await self._order(self._reboot)

    async def stopping(self) -> bool:
        """Whether the state command prints ``stopping``."""
        if not self._state:
            return False
        ended = await self._run(self._state)
        return STOPPING in ended.tail.split()

    async def _order(self, command: Sequence[str]) -> None:
        ended = await self._run(command)
        if ended.code == 0:
            return
        what = f"exited with {ended.code}" if ended.code > 0 else f"was killed by signal {-ended.code}"
        raise HostPowerFailed(f"`{' '.join(command)}` {what}: {ended.tail or 'it printed nothing'}{_remedy(ended)}")

    async def _run(self, command: Sequence[str]) -> Ended:
        shown = " ".join(command)
        if not command:
            raise HostPowerFailed("no command for this is configured; name one in the settings")
        try:
            return await run_command(command, self._timeout_s)
        except TimeoutError:
            raise HostPowerFailed(f"`{shown}` did not end within {self._timeout_s:g} s, and was killed") from None
        except (FileNotFoundError, NotADirectoryError):
            raise HostPowerFailed(
                f"`{shown}` can't be run: there is no {command[0]}; name this host's command in the settings"
            ) from None
        except PermissionError:
            raise HostPowerFailed(
                f"`{shown}` can't be run: {command[0]} may not be executed by powerd's user; run powerd as"
                " root, or name a command it may run in the settings"
            ) from None
        except OSError as error:
            raise HostPowerFailed(f"`{shown}` can't be run: {error}") from error


def _remedy(ended: Ended) -> str:
    """What polkit and logind say when the caller may not power off."""
    refused = (
        "access denied",
        "authentication required",
        "permission denied",
        "not permitted",
        "must be root",
    )
    if any(words in ended.tail.lower() for words in refused):
        return "; run powerd as root, or allow its user org.freedesktop.login1.power-off in polkit"
    return ""
