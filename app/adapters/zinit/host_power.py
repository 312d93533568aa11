"""Orders to zinit, the init system of Zero-OS, over its socket."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

from app.adapters.libraries.timeouts import timeout
from app.adapters.processes.orders import failed, give_order, run_for_host
from app.adapters.zinit import json_rpc, line_protocol
from app.adapters.zinit.exchange import Answer, Order, Refused, ZinitProtocol, exchange
from app.adapters.zinit.version import UnreadableVersion, Version, parse_version
from app.domain.errors import HostPowerFailed

KNOWS_POWER_OFF = Version(0, 2, 9)
"""In earlier versions ``shutdown`` means reboot, and there is no power-off."""

SPEAKS_JSON_RPC = Version(0, 2, 15)

PROMPT_S = 1.0
"""zinit must answer a question within this time before it gets an order. powerd looks again before the next order, so
that no hold, and no target Up, is overlooked for longer than this."""


class ZinitHostPower:
    """`HostPower` by zinit. Each step of an order (the version, the exchange) has the deadline ``timeout_s``.

    An order cannot be recalled: a zinit that hangs would carry it out when it goes on, even if the target is Up
    by then. So powerd first asks a harmless question, and gives the order only after a prompt answer.

    ``version_command`` prints zinit's version (``zinit -V``). ``force_power_off_command`` and
    ``force_reboot_command`` do not use zinit; each is accepted when it exits with 0.
    """

    def __init__(
        self,
        socket: Path,
        version_command: Sequence[str],
        force_power_off_command: Sequence[str],
        force_reboot_command: Sequence[str],
        timeout_s: float,
        prompt_s: float = PROMPT_S,
    ) -> None:
        self._socket = socket
        self._version_command = tuple(version_command)
        self._force_power_off = tuple(force_power_off_command)
        self._force_reboot = tuple(force_reboot_command)
        self._timeout_s = timeout_s
        self._prompt_s = min(prompt_s, timeout_s)
        self._known: Version | None = None
        self._order_is_out = False

    async def check(self) -> None:
        """Check that this version of zinit can power off, and that its socket exists."""
        await self._version_that_powers_off()
        try:
            mode = self._socket.stat().st_mode
        except OSError as error:
            raise self._unusable(error) from None
        if not stat.S_ISSOCK(mode):
            raise HostPowerFailed(f"{self._socket} is no socket; name zinit's socket in the settings")

    async def power_off(self) -> None:
        """Order ``shutdown``, unless this version of zinit takes it for a reboot."""
        await self._order(await self._version_that_powers_off(), "shutdown")

    async def force_power_off(self) -> None:
        """Run the command that powers off without zinit."""
        await give_order(self._force_power_off, self._timeout_s)

    async def reboot(self) -> None:
        """Order a reboot, with this version's word for it."""
        version = await self._version()
        await self._order(version, "reboot" if version >= KNOWS_POWER_OFF else "shutdown")

    async def force_reboot(self) -> None:
        """Run the command that reboots without zinit."""
        await give_order(self._force_reboot, self._timeout_s)

    async def stopping(self) -> bool:
        """False before an order. Raises `HostPowerFailed` after one, since zinit does not say whether it stops."""
        if self._order_is_out:
            raise HostPowerFailed("zinit does not say whether the system is stopping")
        return False

    async def _version_that_powers_off(self) -> Version:
        version = await self._version()
        if version < KNOWS_POWER_OFF:
            raise HostPowerFailed(
                f"zinit {version} can't power off (there, shutdown means reboot); update it to {KNOWS_POWER_OFF}"
                " or later"
            )
        return version

    async def _version(self) -> Version:
        """Read zinit's version. One that can power off is remembered, since it does not change while zinit runs."""
        if self._known is not None:
            return self._known
        ended = await run_for_host(self._version_command, self._timeout_s)
        if ended.code != 0:
            raise failed(self._version_command, ended)
        try:
            version = parse_version(ended.tail)
        except UnreadableVersion as error:
            shown = " ".join(self._version_command)
            raise HostPowerFailed(
                f"`{shown}` printed {error}; name the command that prints zinit's version in the settings"
            ) from None
        if version >= KNOWS_POWER_OFF:
            self._known = version
        return version

    async def _order(self, version: Version, order: Order) -> None:
        protocol: ZinitProtocol = json_rpc if version >= SPEAKS_JSON_RPC else line_protocol
        self._order_is_out = False
        try:
            method = await self._find_method(protocol, order)
            await self._give(protocol, method)
        except OSError as error:
            raise self._unusable(error) from None
        except HostPowerFailed as error:
            if isinstance(error, Refused):
                self._order_is_out = False
            raise HostPowerFailed(f"{self._socket}: {error}") from None

    async def _find_method(self, protocol: ZinitProtocol, order: Order) -> str:
        try:
            async with timeout(self._prompt_s):
                return await protocol.find_method(self._request, order)
        except TimeoutError:
            raise HostPowerFailed(
                f"zinit gave no whole answer to a question within {self._prompt_s:g} s, so it was given no order"
                f" (`{order}`): it hangs, or another program listens there"
            ) from None

    async def _give(self, protocol: ZinitProtocol, method: str) -> None:
        try:
            async with timeout(self._timeout_s):
                await protocol.give_order(self._request_order, method)
        except TimeoutError:
            if self._order_is_out and protocol.ANSWERS_AFTERWARDS:
                return  # it answered a question before and has the order, so it carries it out
            raise HostPowerFailed(f"zinit gave no whole answer to `{method}` within {self._timeout_s:g} s") from None

    async def _request(self, request: bytes) -> Answer:
        return await exchange(self._socket, request)

    async def _request_order(self, request: bytes) -> Answer:
        return await exchange(self._socket, request, self._mark_sent)

    def _mark_sent(self) -> None:
        self._order_is_out = True

    def _unusable(self, error: OSError) -> HostPowerFailed:
        match error:
            case FileNotFoundError() | NotADirectoryError():
                problem, remedy = (
                    "does not exist",
                    "if zinit is this host's init system, name its socket in the settings",
                )
            case ConnectionRefusedError():
                problem, remedy = "takes no connection", "no program listens there; see that zinit runs"
            case PermissionError():
                problem, remedy = "refuses powerd's user", "run powerd as root"
            case ConnectionResetError() | BrokenPipeError():
                problem, remedy = "was closed without an answer", "see zinit's log"
            case _:
                problem, remedy = f"can't be used ({error})", "name zinit's socket in the settings"
        return HostPowerFailed(f"zinit's socket {self._socket} {problem}; {remedy}")
