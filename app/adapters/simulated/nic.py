"""A simulated network card, with a switch for every kind of failure."""

from __future__ import annotations

from dataclasses import replace

from app.domain.errors import NicSilent, NicUnusable
from app.domain.model import Mac, Nic

MAGIC = "g"
"""ethtool's letter for waking by magic packet."""


class SimulatedNic:
    """`NicPort` with one card, its MAC given.

    Switches (plain attributes): ``missing`` (no physical card), ``several`` (two of them),
    ``unsupported`` (no waking by magic packet), ``cannot_arm`` (the driver refuses),
    ``forgets_arming`` (accepts the order, and reads back as off), ``silent`` (no answer in time).
    ``wake_modes`` holds ethtool's letters of what is on; ``leaves`` says whether a power-off is
    about to be ordered; ``armed_by_others`` starts with magic packet on.
    """

    def __init__(self, mac: Mac, name: str = "eth0", *, armed_by_others: bool = False) -> None:
        self.nic = Nic(name, mac)
        self.wake_modes: set[str] = {MAGIC} if armed_by_others else set()
        self.missing = False
        self.several = False
        self.unsupported = False
        self.cannot_arm = False
        self.forgets_arming = False
        self.silent = False
        self.leaves = False

    async def find(self) -> Nic:
        """The card, unless a switch prevents it."""
        self._answer()
        if self.missing:
            raise NicUnusable("the simulated machine has no physical network card")
        if self.several:
            raise NicUnusable(f"the simulated machine has two physical cards: {self.nic.name}, eth1")
        if self.unsupported:
            raise NicUnusable(f"{self.nic.name} does not support waking by magic packet")
        others = self.wake_modes - {MAGIC}
        return replace(self.nic, other_wake_modes=", ".join(sorted(others))) if others else self.nic

    async def arm(self, nic: Nic) -> None:
        self._check(nic)
        if self.cannot_arm:
            raise NicUnusable(f"arming Wake-on-LAN on {nic.name} is refused")
        if not self.forgets_arming:
            self.wake_modes.add(MAGIC)

    async def armed(self, nic: Nic) -> bool:
        self._check(nic)
        return MAGIC in self.wake_modes

    async def leaving(self, nic: Nic) -> None:  # noqa: ARG002
        self.leaves = True

    async def staying(self) -> None:
        self.leaves = False

    def _answer(self) -> None:
        if self.silent:
            raise NicSilent("the simulated card did not answer in time")

    def _check(self, nic: Nic) -> None:
        self._answer()
        if self.missing or nic.name != self.nic.name:
            raise NicUnusable(f"there is no network card {nic.name}")
        if self.unsupported:
            raise NicUnusable(f"{nic.name} does not support waking by magic packet")
