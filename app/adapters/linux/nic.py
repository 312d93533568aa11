"""The card that wakes this machine: the one uplink below a bridge, found by netlink.

On Zero-OS the bridge is ``zos``. A bridge has no Wake-on-LAN, and takes its MAC from a member. So MAC and
wake modes are read from the physical card, or from every leg of the bond or team below the bridge.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from app.adapters.linux.armed_cards import ArmedCards
from app.adapters.linux.card_search import find_cards
from app.adapters.linux.loading import load_library
from app.adapters.linux.wake_on_lan import read_wake_modes, switch_on_magic_packet
from app.adapters.linux.wakeup_switches import enable, wakeup_switches
from app.adapters.processes.daemon_thread import DaemonThread, EarlierCallHangs, LoadingTakesLong, NoThreadStarted
from app.domain.errors import NicSilent, NicUnusable
from app.domain.model import Nic
from app.domain.values import value

Result = TypeVar("Result")

log = logging.getLogger("powerd.nic")


@value
class CardLook:
    """A card's wake modes (ethtool's letters), and the kernel's switches that say ``disabled``.

    ``off_above`` are switches of PCI bridges, which most machines do not need to wake.
    """

    name: str
    modes: str
    magic_on: bool
    off: tuple[str, ...]
    off_above: tuple[str, ...]


class LinuxNic:
    """`NicPort` by netlink, ethtool and the kernel's switches for waking.

    ``bridge`` names the bridge above the card (directly, or by a bond, team or VLAN); on a machine without a
    bridge it names one of those. ``magic_alone`` switches other wake modes off. ``armed_file`` is for the last
    hook of the shutdown. Every question to the kernel has the deadline ``timeout_s``.
    """

    def __init__(
        self, bridge: str, timeout_s: float = 5.0, *, magic_alone: bool = False, armed_file: Path | None = None
    ) -> None:
        self._bridge = bridge
        self._timeout_s = timeout_s
        self._magic_alone = magic_alone
        self._armed_cards = ArmedCards(armed_file)
        self._thread = DaemonThread("powerd-nic", timeout_s, load=load_library)
        self._stubborn: set[str] = set()
        self._logged: set[str] = set()
        self._looked = False

    async def find(self) -> Nic:
        """The one card that supports magic packets, or those cards of a bond that do."""
        if not self._looked:
            self._armed_cards.remove()  # of a daemon that was killed after its power-off order
            self._looked = True
        nic, deaf = await self._in_thread(lambda: find_cards(self._bridge))
        self._log_what_wakes(nic)
        if deaf:
            which = f"{', '.join(deaf)} of {nic.name} can't be woken by magic packet"
            self._log_once(logging.WARNING, f"{which}: only what reaches {', '.join(nic.legs)} wakes this machine")
        return nic

    async def arm(self, nic: Nic) -> None:
        """Switch magic packet on in the wake modes of each card, and enable the kernel's switches for it."""

        def work() -> None:
            for card in nic.legs:
                switch_on_magic_packet(card, alone=self._magic_alone)
                enable(card)
                if self._magic_alone and read_wake_modes(card).others:
                    self._stubborn.add(card)

        await self._in_thread(work)

    async def armed(self, nic: Nic) -> bool:
        """Whether every card has magic packet in its wake modes, and no switch of the kernel is disabled."""
        return await self._in_thread(lambda: all(self._card_armed(card) for card in nic.legs))

    async def look(self, nic: Nic) -> Sequence[CardLook]:
        """The state of each card now, for operators."""

        def work() -> list[CardLook]:
            found = []
            for card in nic.legs:
                modes, switches = read_wake_modes(card), wakeup_switches(card)
                off, above = (tuple(map(str, each)) for each in (switches.off, switches.off_above))
                found.append(CardLook(card, modes.letters, modes.magic_on, off, above))
            return found

        return await self._in_thread(work)

    async def leaving(self, nic: Nic) -> None:
        """Write the file from which the last hook of the shutdown arms the cards again."""

        def work() -> list[str]:
            cards = [f"card {card} {read_wake_modes(card).letters}" for card in nic.legs]
            return cards + [f"wakeup {switch}" for card in nic.legs for switch in wakeup_switches(card).needed]

        try:
            self._armed_cards.write(await self._in_thread(work))
        except NicUnusable as error:
            log.warning("the last hook of the shutdown will not arm the card again: %s", error)

    async def staying(self) -> None:
        self._armed_cards.remove()

    def _card_armed(self, card: str) -> bool:
        modes = read_wake_modes(card)
        alone = not modes.others or not self._magic_alone or card in self._stubborn
        return modes.magic_on and alone and not wakeup_switches(card).off

    def _log_what_wakes(self, nic: Nic) -> None:
        """Log what else may wake the machine, and what may keep it from waking, each once."""
        if nic.other_wake_modes:
            remedy = (
                "its driver does not switch them off"
                if self._stubborn.intersection(nic.legs)
                else "they are switched off before the power-off"
                if self._magic_alone
                else 'nic.wake_modes = "magic" switches them off'
            )
            self._log_once(logging.WARNING, f"{nic.name} wakes this machine by {nic.other_wake_modes} too; {remedy}")
        for switch in [each for card in nic.legs for each in wakeup_switches(card).off_above]:
            what = f"{switch}, of a bridge above {nic.name}, says disabled"
            self._log_once(logging.INFO, f"{what}: most machines still wake; enable it if this one does not")

    def _log_once(self, level: int, what: str) -> None:
        if what not in self._logged:
            self._logged.add(what)
            log.log(level, "%s", what)

    async def _in_thread(self, question: Callable[[], Result]) -> Result:
        about = f"about the network card of {self._bridge}"
        try:
            return await self._thread.run(question)
        except LoadingTakesLong:
            reason = f"powerd could not ask {about} yet, since its modules are still loading; this machine is very busy"
        except NoThreadStarted as error:
            reason = f"powerd could not ask {about}: {error}"
        except EarlierCallHangs:
            reason = (
                f"the kernel has not answered an earlier question {about}: the card's driver hangs (see the "
                "kernel's log); powerd asks again after it answered"
            )
        except TimeoutError:
            reason = f"the kernel did not answer within {self._timeout_s:g} s {about}: its driver is slow, or hangs"
        raise NicSilent(reason)
