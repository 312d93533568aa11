"""Collects at one moment everything that the decision about this node's power needs."""

from __future__ import annotations

from app.domain.errors import ChainUnavailable, HoldsUnreadable
from app.domain.model import HeadKind, Hold, PowerReading
from app.domain.rules.power import Observation, OwnPower, PowerLimits, wants_down
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.progress import ITSELF
from app.domain.services.own_power.boot_loop import BootLoopGuard
from app.domain.services.own_power.head_watch import HeadWatch
from app.domain.services.own_power.last_waker import LastWaker
from app.domain.services.own_power.power_management import PowerManagement
from app.domain.services.own_power.wake_proof import WakeProof
from app.domain.services.waking.wake_service import WakeService
from app.domain.values import value
from app.ports.chain import ChainReader
from app.ports.holds import Holds

LOCAL_S_MAX = 1.0
"""When guards and holds took longer (a slow disk, a slow logind), the target may have turned Up: it is read again."""


@value
class OwnGuards:
    """The parts that can object to a power-off, besides the chain's answer."""

    management: PowerManagement
    boot_loop: BootLoopGuard
    last_waker: LastWaker
    holds: Holds
    proof: WakeProof


class Observer:
    """Reads both heads at each look; remembers since when the target is Down, and since when a wake keeps the node up.

    The boot-loop guard gets each answer of the chain: the first look after a boot judges that boot.
    """

    def __init__(
        self,
        context: NodeContext,
        chain: ChainReader,
        wakes: WakeService,
        guards: OwnGuards,
        heads: HeadWatch,
        limits: PowerLimits,
    ) -> None:
        self._clock = context.clock
        self._node = context.node.node
        self._progress = context.progress
        self._chain = chain
        self._wakes = wakes
        self.guards = guards
        self._heads = heads
        self.limits = limits
        self._deferred_since_s: float | None = None
        self.down_seen_since_s: float | None = None
        """When the target was first read as Down (Unix seconds); None while it is not."""
        self.last: Observation | None = None
        """The last observation; for display only, never for a decision."""

    async def look(self, *, cooling_down: str, own_state_uncertain: bool) -> Observation:
        """Check host and card, then `observe`; the wakes get the chain's answer about this node as well."""
        await self.guards.management.check()
        seen = await self.observe(cooling_down=cooling_down, own_state_uncertain=own_state_uncertain)
        self._wakes.on_own_power(seen.best.power)
        return seen

    async def observe(self, *, cooling_down: str = "", own_state_uncertain: bool = False) -> Observation:
        """Look now. Raises `ChainUnavailable`.

        The best head is the last read of the chain: where it says Up, no older answer can overrule it. The last-waker
        guard takes a while, so it asks before. Where it must ask later, the best head is read once more.
        """
        guard, last_waker, head_unreadable = self.guards.last_waker, "", ""
        # The guard asks only where it can decide: it costs reads of the chain.
        if expected := self.down_seen_since_s is not None:
            last_waker = await guard.objection()
        finalized, best = await self._own_heads()
        down = wants_down(best.power) and (finalized is None or wants_down(finalized.power))
        if down and guard.guarded and not expected:
            last_waker = await guard.objection()
            # The target may have turned Up meanwhile. Behind a gateway the power is read again below, with the head.
            best = best if best.head is None else await self._own_power(HeadKind.BEST)
        if best.head is None and wants_down(best.power):
            best, head_unreadable = await self._with_head(best)
        answered_at_s = self._clock.monotonic()
        self._note_target(best)
        boot_loop = await self.guards.boot_loop.objection(best.power)
        unproved = await self.guards.proof.objection(best)
        # Holds last: they are local and quick to read, and a program relies on the hold that it placed.
        holds, holds_unreadable = await self._read_holds()
        if wants_down(best.power) and self._clock.monotonic() - answered_at_s > LOCAL_S_MAX:
            again = await self._own_power(HeadKind.BEST)
            best = again if again.head is not None else OwnPower(best.head, again.power)
        self.last = Observation(
            best=best,
            finalized=finalized,
            now_s=self._clock.now(),
            head_unreadable=head_unreadable,
            not_enabled=self.guards.management.objection,
            not_enabled_may_pass=self.guards.management.objection_may_pass,
            holds=holds,
            holds_unreadable=holds_unreadable,
            unfinished_wakes=self._wakes.unfinished,
            deferred_for_s=self._deferred_for_s(best),
            cooling_down=cooling_down,
            own_state_uncertain=own_state_uncertain,
            boot_loop=boot_loop,
            last_waker=last_waker,
            unproved=unproved,
        )
        return self.last

    async def _read_holds(self) -> tuple[tuple[Hold, ...], str]:
        """The holds, and why they can't be read (empty if they can)."""
        try:
            return tuple(await self.guards.holds.active()), ""
        except HoldsUnreadable as error:
            return (), str(error)

    def _note_target(self, best: OwnPower) -> None:
        if not wants_down(best.power):
            self.down_seen_since_s = None
        elif self.down_seen_since_s is None:
            self.down_seen_since_s = self._clock.now()

    async def _own_power(self, kind: HeadKind) -> OwnPower:
        self._progress.made(ITSELF)
        return self._own(await self._chain.powers([self._node], kind))

    async def _own_heads(self) -> tuple[OwnPower | None, OwnPower]:
        self._progress.made(ITSELF)
        finalized, best = await self._chain.powers_at_heads([self._node])
        return None if finalized is None else self._own(finalized), self._own(best)

    def _own(self, reading: PowerReading) -> OwnPower:
        return OwnPower(reading.head, reading.powers[self._node])

    async def _with_head(self, best: OwnPower) -> tuple[OwnPower, str]:
        """Read the head for an answer without one: the gateway may have the chain's time without the block's number.

        That can take long, and the target can turn Up meanwhile; so the power is read once more at the end.
        """
        try:
            head = await self._heads.best()
        except ChainUnavailable as error:
            return best, str(error)
        return OwnPower(head, (await self._own_power(HeadKind.BEST)).power), ""

    def _deferred_for_s(self, best: OwnPower) -> float:
        if not (wants_down(best.power) and self._wakes.unfinished):
            self._deferred_since_s = None
            return 0.0
        now = self._clock.monotonic()
        if self._deferred_since_s is None:
            self._deferred_since_s = now
        return now - self._deferred_since_s
