"""Remembers a Down of this node until the machine has booted, also across restarts of the daemon (R13).

A table in `app.domain.rules.paid` defines open, requested and closed.
"""

from __future__ import annotations

from dataclasses import replace

from app.domain.errors import ChainUnavailable, MemoryUnusable
from app.domain.events import OperationFailed
from app.domain.faults import FaultKind
from app.domain.model import Inclusion, NodePower, Power
from app.domain.rules.paid import DownWindow, Remedy, ThisBoot, look_at, remedy_for
from app.domain.rules.power import OwnPower
from app.domain.rules.shutdown import is_down
from app.domain.services.context.node_context import NodeContext
from app.ports.chain import ChainReader
from app.ports.host_facts import HostFacts
from app.ports.memory import Memory

MEMORY_FAULT = FaultKind.WINDOW_MEMORY.key()


class OpenWindow:
    """``memory`` is None where no memory outlives the process: after a restart only the chain shows the window."""

    def __init__(
        self,
        context: NodeContext,
        memory: Memory[DownWindow] | None,
        chain: ChainReader,
        facts: HostFacts,
    ) -> None:
        self._memory = memory
        self._chain = chain
        self._node = context.node.node
        self._facts = facts
        self._clock = context.clock
        self._faults = context.faults
        self._telemetry = context.telemetry
        self._window: DownWindow | None = None
        self._before: DownWindow | None = None
        self._intent: DownWindow | None = None
        self._loaded = False
        self._checked = False
        self._said_here = False
        self._asked_of: int | None = None
        self.remedy: Remedy | None = None
        """What closes the window, as of the last look."""

    @property
    def window(self) -> DownWindow | None:
        """The open window; None while none is known, or while our Down has not been included yet."""
        return self._window if self._window is not None and self._window.sure else None

    @property
    def booted(self) -> bool:
        """Whether the machine booted since the Down, by its boot id alone."""
        return self._window is None or self._window.boot_id != self._facts.boot_id()

    async def load(self) -> None:
        """Load the saved window, once."""
        if self._loaded:
            return
        self._loaded = True
        if self._memory is not None:
            try:
                self._window = await self._memory.load()
            except MemoryUnusable as error:
                self._report_unusable(error)

    # -- our Down, and our Up --------------------------------------------------------------------------
    async def saying_down(self) -> None:
        """Save that Down is about to be sent, so that the next process knows of it."""
        await self.load()
        self._said_here = True
        window = self._before = self._window
        if window is None or self.booted:
            # A window from before this boot may be closed by now; if it is not, this boot closes it.
            self._checked = False
            self._intent = DownWindow(self._facts.boot_id(), self._clock.now())
        else:
            self._intent = replace(window, was_up=False, up_block=None)
        await self._keep(self._intent)

    async def not_said(self) -> None:
        """Our Down was not sent, or the chain did not take it, and never will."""
        if self._window == self._intent:
            await self._keep(self._before)

    async def said_down(self, inclusion: Inclusion) -> None:
        """Our Down is in a block. A window that is already open stays as it is."""
        window = self._window
        if window is not None and not window.sure:
            await self._keep(
                replace(window, sure=True, down_block=inclusion.block_number, down_hash=inclusion.block_hash)
            )

    async def may_be_said(self) -> None:
        """It is not known whether the chain took our Down: it counts as taken."""
        if self._window is not None and not self._window.sure:
            await self._keep(replace(self._window, sure=True))

    async def said_up(self, inclusion: Inclusion | None) -> None:
        window = self._window
        if window is not None and inclusion is not None and inclusion.block_number is not None:
            await self._keep(replace(window, up_block=inclusion.block_number))

    # -- looks at the chain ----------------------------------------------------------------------------
    async def saw(self, own: OwnPower) -> None:
        """Take the node's power as just read from the chain. Must be called before an Up is sent in answer to it."""
        await self.load()
        await self._drop_intent(own)
        try:
            if self._window is None:
                await self._find(own)
            else:
                await self._check()
                await self._asked_before_up(own)
        except ChainUnavailable as error:
            # Earlier blocks do not change: the next look can ask again.
            self._telemetry.record(OperationFailed("asking the chain about our last Down", str(error), 0.0))
        await self.note(own)

    async def note(self, own: OwnPower) -> None:
        """As `saw`, without reads of the chain."""
        window = self._window
        if window is not None:
            now_s = self._now_s(own)
            boot = ThisBoot(self._facts.boot_id(), now_s - self._facts.uptime_s())
            await self._keep(look_at(window, own.power, boot, now_s))
        self.remedy = None if self.window is None else remedy_for(self.window, own.power) or self.remedy

    async def _drop_intent(self, own: OwnPower) -> None:
        """Drop the intent of an earlier process when the state is Up: it was killed before it sent its Down."""
        window, power = self._window, own.power
        if window is None or window.sure or self._said_here or not isinstance(power, NodePower):
            return
        if power.state.power is Power.UP:
            await self._keep(None)

    async def _find(self, own: OwnPower) -> None:
        """Find the window of a Down that was not saved: the chain shows since when, and the target at that time."""
        power = own.power
        since = power.state.since_block if isinstance(power, NodePower) else None
        if since is None or not is_down(power) or since == self._asked_of:
            return
        past = await self._chain.power_in(self._node, Inclusion("", since))
        self._asked_of = since
        if past is None or past.target_at_down is not Power.DOWN:
            return
        opened_at_s = past.head.time_s
        this_boot = opened_at_s > self._now_s(own) - self._facts.uptime_s()
        self._checked = True
        self._window = DownWindow(self._facts.boot_id() if this_boot else "", opened_at_s, since, sure=True)

    async def _check(self) -> None:
        """Drop a window that was never opened, since the target was not Down in the block of our Down.

        Where that is not known, the window stays: every guard had passed.
        """
        window = self._window
        if self._checked or window is None or not window.sure:
            return
        if not (window.down_block or window.down_hash):
            if window.up_block is None:
                return
            window = await self._look_for_down(window, window.up_block)
            if window is None or window.down_block is None:
                self._checked = True
                await self._keep(window)
                return
        block = Inclusion("" if window.down_block else window.down_hash, window.down_block)
        past = await self._chain.power_in(self._node, block)
        kept: DownWindow | None = window
        if past is not None and past.target_at_down is None:
            kept = window if await self._was_down_before_up(window) else None
        elif past is not None:
            kept = None if past.target_at_down is Power.UP else replace(window, opened_at_s=past.head.time_s)
        self._checked = True
        await self._keep(kept)

    async def _look_for_down(self, window: DownWindow, up_block: int) -> DownWindow | None:
        """Settle a Down of unknown fate: it was included before our Up, or in the same block, or never will be."""
        past = await self._chain.power_in(self._node, Inclusion("", up_block))
        if past is None or past.target_at_down is not None:
            return replace(window, down_block=up_block if past else None)
        before = await self._chain.power_in(self._node, Inclusion("", up_block - 1))
        if before is None or not isinstance(before.power, NodePower):
            return window
        return replace(window, down_block=before.power.state.since_block) if is_down(before.power) else None

    async def _was_down_before_up(self, window: DownWindow) -> bool:
        """Whether a reorganisation moved our Down to another block and did not lose it."""
        if window.up_block is None:
            return False
        past = await self._chain.power_in(self._node, Inclusion("", window.up_block - 1))
        return past is None or is_down(past.power)

    async def _asked_before_up(self, own: OwnPower) -> None:
        """Find a target Up between our last look and our Up: it is a boot request as well."""
        window = self._window
        if window is None or window.up_block is None or window.requested_at_s is not None:
            return
        if not _is(own.power, Power.UP, Power.UP):
            return
        past = await self._chain.power_in(self._node, Inclusion("", window.up_block))
        asked_at_s = past.head.time_s if past is not None and past.target_at_up is Power.UP else None
        await self._keep(replace(window, up_block=None, requested_at_s=asked_at_s))

    def _now_s(self, own: OwnPower) -> float:
        return self._clock.now() if own.head is None else own.head.time_s

    # -- the memory ------------------------------------------------------------------------------------
    async def _keep(self, window: DownWindow | None) -> None:
        if window == self._window:
            return
        self._window = window
        if self._memory is None:
            return
        try:
            if window is None:
                await self._memory.clear()
            else:
                # An intent is for the next process of this boot. After a power cut the chain shows the Down.
                await self._memory.save(window, durably=window.sure)
        except MemoryUnusable as error:
            self._report_unusable(error)
        else:
            self._faults.clear(MEMORY_FAULT)

    def _report_unusable(self, error: MemoryUnusable) -> None:
        self._faults.report(MEMORY_FAULT, f"powerd may not know after its restart that uptime is not credited: {error}")


def _is(power: object, state: Power, target: Power) -> bool:
    return isinstance(power, NodePower) and (power.state.power, power.target) == (state, target)
