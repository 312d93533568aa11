"""Wakes peers that are Up on chain, with target Up, and give no sign of life (R14)."""

from __future__ import annotations

from app.domain.backoff import Jitter
from app.domain.errors import PowerdError
from app.domain.events import OperationFailed
from app.domain.faults import FaultKind
from app.domain.model import NodeId, Powers
from app.domain.rules.silence import STEP_S, Silence, SilencePolicy
from app.domain.services.context.node_context import NodeContext
from app.domain.services.waking.signs_watch import SignsWatch
from app.domain.services.waking.wake_order import WakeOrder
from app.domain.services.waking.wake_service import WakeService

_EXACT: Jitter = lambda: 0.5  # noqa: E731 - the looks at the farm are spread already


class SilentPeers:
    """Does nothing where the chain shows no signs of life."""

    def __init__(
        self,
        context: NodeContext,
        watch: SignsWatch,
        wakes: WakeService,
        order: WakeOrder,
        policy: SilencePolicy,
    ) -> None:
        self._watch = watch
        self._wakes = wakes
        self._order = order
        self._faults = context.faults
        self._telemetry = context.telemetry
        self._policy = policy
        self._silences: dict[NodeId, Silence] = {}

    async def look(self, powers: Powers, now_s: float) -> None:
        """Take the power of all peers as just read from the chain. A failed read of their signs is only recorded."""
        try:
            await self._watch.look(tuple(powers))
        except PowerdError as error:
            self._telemetry.record(OperationFailed("looking for signs of life", str(error), 0.0))
            return
        if self._policy.call:
            self._follow(dict.fromkeys(self._watch.silent_among(self._order.wakers)), now_s)

    def _follow(self, silent: dict[NodeId, None], now_s: float) -> None:
        self._order.saw_silent(silent)
        for node in [node for node in self._silences if node not in silent]:
            del self._silences[node]
            self._faults.clear(FaultKind.NODE_SILENT.key(node))
        for node in silent:
            if node not in self._silences:
                self._silences[node] = Silence(now_s + self._order.delay_s(node, STEP_S))
                self._report(node)
            silence = self._silences[node]
            if now_s >= silence.due_at_s:
                silence.calls += 1
                silence.due_at_s = now_s + self._policy.retry.delay_s(silence.calls, _EXACT)
                self._wakes.request(node, "it gives no sign of life")

    def _report(self, node: NodeId) -> None:
        self._faults.report(
            FaultKind.NODE_SILENT.key(node),
            f"node {node} is Up on chain, with target Up, and has not reported its uptime for "
            f"{self._watch.fresh_s / 60:.0f} min and more: it is dark, or hangs, or can't reach the chain; look at its "
            "power and its console (powerd wakes it from time to time)",
        )
