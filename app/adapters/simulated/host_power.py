"""An init system that obeys, refuses, hangs, or accepts an order and does nothing."""

from __future__ import annotations

import enum
from collections.abc import Callable

from app.domain.errors import HostPowerFailed, HostPowerLate
from app.domain.values import value
from app.ports.clock import Clock


class Obedience(enum.Enum):
    """How the init system reacts to an order."""

    OBEYS = "accepts the order, is stopping from then on, and the machine goes down"
    REFUSES = "refuses at once"
    HANGS = "gives no answer within the deadline"
    IGNORES = "accepts the order, and nothing happens"


class Order(enum.Enum):
    """The orders to an init system."""

    POWER_OFF = "power off"
    FORCE_POWER_OFF = "force power off"
    REBOOT = "reboot"
    FORCE_REBOOT = "force reboot"


@value
class GivenOrder:
    """An order and when it came (`Clock.monotonic`), with any result."""

    at_s: float
    order: Order


class SimulatedHostPower:
    """`HostPower` whose ``mode`` (for power-off and reboot) and ``force_mode`` can be switched.

    ``on_power_off`` and ``on_reboot`` are called when the machine obeys. ``is_stopping`` is what
    `stopping` answers, ``unable`` why the host can't be powered off at all (empty: it can), which
    only `check` looks at, and ``late`` that it does not say so in time. Calls that hang do so for
    ``timeout_s``, as a real adapter would.
    """

    def __init__(
        self,
        clock: Clock,
        on_power_off: Callable[[], None] = lambda: None,
        on_reboot: Callable[[], None] = lambda: None,
        *,
        timeout_s: float = 30.0,
    ) -> None:
        self._clock = clock
        self.on_power_off = on_power_off
        self.on_reboot = on_reboot
        self._timeout_s = timeout_s
        self.mode = Obedience.OBEYS
        self.force_mode = Obedience.OBEYS
        self.unable = ""
        self.late = False
        self.is_stopping = False
        self.stopping_unknown = False
        self.given: list[GivenOrder] = []

    @property
    def orders(self) -> list[Order]:
        """The orders so far, oldest first, without their times."""
        return [given.order for given in self.given]

    async def check(self) -> None:
        if self.late:
            raise HostPowerLate("the simulated host did not answer in time")
        if self.unable:
            raise HostPowerFailed(self.unable)

    async def power_off(self) -> None:
        """An orderly power-off, as ``mode`` says."""
        await self._obey(Order.POWER_OFF, self.mode, self.on_power_off)

    async def force_power_off(self) -> None:
        """A forced power-off, as ``force_mode`` says."""
        await self._obey(Order.FORCE_POWER_OFF, self.force_mode, self.on_power_off)

    async def reboot(self) -> None:
        """A reboot, as ``mode`` says."""
        await self._obey(Order.REBOOT, self.mode, self.on_reboot)

    async def force_reboot(self) -> None:
        """A forced reboot, as ``force_mode`` says."""
        await self._obey(Order.FORCE_REBOOT, self.force_mode, self.on_reboot)

    async def stopping(self) -> bool:
        if self.stopping_unknown:
            raise HostPowerFailed("the simulated init system does not say whether it is stopping")
        return self.is_stopping

    async def _obey(self, order: Order, mode: Obedience, act: Callable[[], None]) -> None:
        self.given.append(GivenOrder(self._clock.monotonic(), order))
        match mode:
            case Obedience.REFUSES:
                raise HostPowerFailed(f"the simulated init system refuses to {order.value}")
            case Obedience.HANGS:
                await self._clock.sleep(self._timeout_s)
                raise HostPowerFailed(f"the simulated init system gave no answer to {order.value}")
            case Obedience.IGNORES:
                return
            case Obedience.OBEYS:
                self.is_stopping = True
                act()
