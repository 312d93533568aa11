"""Watches the other nodes' signs of life: which node gave one recently, and which was silent throughout."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping

from app.domain.model import Counters, NodeId
from app.domain.rules.last_waker import NEVER_S, fresh_among, heard_now
from app.domain.rules.silence import counts
from app.ports.clock import Clock
from app.ports.signs_of_life import SignsOfLife

LOOK_S_MIN = 5.0
"""The least time between reads: a node in its shutdown looks every 2 s, and a sign counts for most of an hour."""


class SignsWatch:
    """Does nothing where ``port`` is None: that chain shows no signs of life. A sign counts for ``fresh_s`` seconds."""

    def __init__(self, port: SignsOfLife | None, clock: Clock, *, fresh_s: float) -> None:
        self._port = port
        self._clock = clock
        self._fresh_s = fresh_s
        self._counters: Mapping[NodeId, int] = {}
        self._heard_s: dict[NodeId, float] = {}
        self._known_since_s: dict[NodeId, float] = {}
        self._looked_at_s = NEVER_S
        self._regular_since_s = NEVER_S
        self._looking = asyncio.Lock()

    @property
    def available(self) -> bool:
        """Whether signs of life can be read here at all."""
        return self._port is not None

    @property
    def fresh_s(self) -> float:
        """Seconds for which a sign counts."""
        return self._fresh_s

    async def look(self, peers: Collection[NodeId]) -> None:
        """Read the counters of these peers, unless they were read a moment ago. Raises `ChainUnavailable`."""
        async with self._looking:
            now_s = self._clock.monotonic()
            if self._port is None or not peers or now_s - self._looked_at_s < LOOK_S_MIN:
                return
            earlier = await self._port.earlier(peers) if self._looked_at_s == NEVER_S else None
            counters = await self._port.counters(peers)
            now_s = self._clock.monotonic()
            age_s = self._clock.now() - counters.time_s
            if earlier is not None:
                # Between two blocks their own times count: this machine's clock may be hours behind after a boot.
                self._look_back(earlier, now_s - max(0.0, age_s) - (counters.time_s - earlier.time_s))
            if not counts(age_s, now_s - self._looked_at_s, max(self._fresh_s / 2, 4 * LOOK_S_MIN)):
                self._regular_since_s = now_s
            heard_s = heard_now(self._counters, counters.of, now_s, self._looked_at_s)
            self._heard_s |= heard_s
            self._counters, known = counters.of, self._known_since_s
            if len(known) != len(self._counters) or not known.keys() >= heard_s.keys():
                self._known_since_s = {node: known.get(node, now_s) for node in self._counters}
            self._looked_at_s = now_s

    def fresh_among(self, nodes: Iterable[NodeId]) -> list[NodeId]:
        """The nodes that gave a sign of life within ``fresh_s``."""
        return fresh_among(nodes, self._heard_s, self._clock.monotonic(), self._fresh_s)

    def silent_among(self, nodes: Iterable[NodeId]) -> list[NodeId]:
        """The nodes that gave no sign for ``fresh_s`` as of the last look, and were watched for that long."""
        heard_s_max = self._looked_at_s - self._fresh_s
        if self._regular_since_s > heard_s_max:
            return []
        heard_s, since_s = self._heard_s, self._known_since_s
        return [
            node for node in nodes if node in since_s and since_s[node] <= heard_s_max and heard_s[node] <= heard_s_max
        ]

    def _look_back(self, earlier: Counters, at_s: float) -> None:
        """Take signs from the chain's history, so that a node that just started need not wait for the next reports."""
        self._looked_at_s = at_s
        self._heard_s = dict.fromkeys(earlier.of, NEVER_S)
        self._counters = earlier.of
