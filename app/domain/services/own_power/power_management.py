"""Checks whether this node may power off: it can be woken, its host can go down, no setting forbids it (R11, R14)."""

from __future__ import annotations

from app.domain.errors import AnswerLate, ChainUnavailable, HostPowerFailed, NicUnusable, NotWakeable, RtcUnusable
from app.domain.events import OperationFailed
from app.domain.faults import FaultKind
from app.domain.model import Nic
from app.domain.rules.address import address_objection
from app.domain.services.context.node_context import NodeContext
from app.domain.services.own_power.clock_alarm import ClockAlarm
from app.ports.chain import ChainReader
from app.ports.host_power import HostPower
from app.ports.nic import NicPort

FAULT = FaultKind.POWER_MANAGEMENT.key()
ADDRESS_GOOD_FOR_S = 1500.0
"""A matching record is read again after this time, when the card changes, and before this node says Down.

It changes only when the node registers again. A look comes every 5 min, or every 2 s while the node is in doubt.
"""


class PowerManagement:
    """Checks host and card each time: so it finds a card that comes later, and arms a card that lost the setting."""

    def __init__(
        self,
        context: NodeContext,
        chain: ChainReader,
        nic: NicPort,
        host: HostPower,
        alarm: ClockAlarm,
        *,
        allowed: bool,
    ) -> None:
        self._chain = chain
        self._node = context.node.node
        self._clock = context.clock
        self._port = nic
        self._host = host
        self.alarm = alarm
        self._faults = context.faults
        self._telemetry = context.telemetry
        self._allowed = allowed
        self.objection = "not checked yet"
        """Why power management is not enabled; empty when it is."""
        self.objection_may_pass = False
        """Whether the only reason is that host or chain did not answer in time: then the next check comes soon."""
        self._nic: Nic | None = None
        self._fitted: Nic | None = None
        self._fitted_at_s = float("-inf")

    @property
    def enabled(self) -> bool:
        """Whether the node may report Down and power off, as of the last check."""
        return not self.objection

    async def check(self) -> None:
        """Check that the host can power off, that the clock has an alarm, and that the card is armed and on chain.

        A chain that can't be read is doubt, and no fault of the machine.
        """
        self.objection_may_pass = False
        forbidden = self._chain.lacks_power
        if not self._allowed:
            forbidden = "switched off in the settings (power_management.enabled)"
        if forbidden:
            self.objection = forbidden
            self._faults.clear(FAULT)
            return
        try:
            await self._host.check()
            await self.alarm.check()
            self._nic = nic = await self._port.find()
            if not await self._port.armed(nic):
                await self._arm(nic)
            if nic != self._fitted or self._clock.monotonic() - self._fitted_at_s >= ADDRESS_GOOD_FOR_S:
                await self._check_address(nic)
        except ChainUnavailable as error:
            self.objection = f"whether the chain has the address of this machine's card is not known: {error}"
            self.objection_may_pass = True
        except (HostPowerFailed, NicUnusable, NotWakeable, RtcUnusable) as error:
            self.objection = str(error)
            self.objection_may_pass = isinstance(error, AnswerLate)
            self._faults.report(FAULT, f"this node will not power off: {error}")
        else:
            self.objection = ""
            self._faults.clear(FAULT)

    async def arm(self) -> None:
        """Arm the card and, if enabled, the clock's alarm. A driver may lose the setting.

        Raises `NicUnusable` or `RtcUnusable` with a fault. `check_address` must follow: the card may be another one.
        """
        try:
            self._nic = nic = await self._port.find()
            await self._arm(nic)
        except NicUnusable as error:
            self._faults.report(FAULT, f"this node will not power off: {error}")
            raise
        await self.alarm.arm()

    async def check_address(self, *, said_down: bool) -> None:
        """Check that the chain has the address of the card that was armed.

        Raises `NotWakeable` with a fault. A chain that can't be read is a `ChainUnavailable` before this node
        ``said_down``; afterwards it is ignored, as the address matched minutes ago.
        """
        assert self._nic is not None, "the card is armed first"
        try:
            await self._check_address(self._nic)
        except NotWakeable as error:
            self._faults.report(FAULT, f"this node will not power off: {error}")
            raise
        except ChainUnavailable as error:
            if not said_down:
                raise
            self._telemetry.record(OperationFailed("reading this node's record", str(error), 0.0))

    def other_wakers(self) -> str:
        """What besides magic packets makes the card wake this machine, as last found; empty if nothing."""
        if self._nic is None or not self._nic.other_wake_modes:
            return ""
        return f"{self._nic.name} also wakes it by {self._nic.other_wake_modes} (nic.wake_modes)"

    @property
    def wakers(self) -> tuple[str, ...]:
        """What was armed to wake this machine, in words."""
        nic = self._nic
        assert nic is not None, "the card is armed first"
        addresses = ", ".join(str(address) for address in nic.addresses)
        modes = f", also by {nic.other_wake_modes}" if nic.other_wake_modes else ""
        return (f"magic packets to {addresses} on {', '.join(nic.legs)}{modes}", *self.alarm.wakers)

    async def leaving(self) -> None:
        """Let the last hook of the host's shutdown arm the card once more: the power-off is about to be ordered."""
        if self._nic is not None:
            await self._port.leaving(self._nic)

    async def staying(self) -> None:
        """Let that hook leave the card alone: the power-off was not ordered, or failed."""
        await self._port.staying()

    async def _arm(self, nic: Nic) -> None:
        await self._port.arm(nic)
        if not await self._port.armed(nic):
            raise NicUnusable(
                f"{nic.name} did not take Wake-on-LAN although its driver reported no error; "
                "look for a firmware setting that forbids it"
            )

    async def _check_address(self, nic: Nic) -> None:
        """Raises `NotWakeable` when no peer can wake this node, and `ChainUnavailable` when that is not known."""
        self._fitted = None
        record = (await self._chain.nodes([self._node])).get(self._node)
        if objection := address_objection(self._node, record, [nic]):
            raise NotWakeable(objection)
        self._fitted, self._fitted_at_s = nic, self._clock.monotonic()
