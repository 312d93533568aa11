"""The chain's time from answers of ``GetTime``, and whether the chain moves; pure.

Theory of operation. The Go library behind api-gateway (go-substrate-rpc-client) reads the milliseconds of a
block's time as seconds: for a block at T it answers ``floor(T)`` plus the milliseconds of T as seconds, so
that .147 makes it 147 s too late. So an answer in whole seconds means any time within the `WRONG_S_MAX` before
it; this is also true for a fixed library that cuts off the fraction. An answer with a fraction does not
come from that library, and is exact.

With such a vague time, a chain that stands still would look fresh for a quarter of an hour. So answers are
compared. An answer that is new since the last look is of a block younger than that look. An answer that was
seen before keeps its age, even if others came between (from a gateway that alternates between two endpoints).
"""

from __future__ import annotations

from collections import OrderedDict

from app.adapters.codecs.go_types import NANOSECONDS
from app.domain.values import value

WRONG_S_MAX = 999.0
REMEMBERED_MAX = 16
"""How many answers are remembered. Blocks up to a thousand seconds apart may have the same answer, so few."""


@value
class GatewayTime:
    """The block's time lies within ``uncertainty_s`` before ``time_s``. For ``seen_s_max`` see `Head`."""

    time_s: float
    uncertainty_s: float = 0.0
    seen_s_max: float | None = None


class ChainTime:
    """The answers so far. Moments are monotonic seconds."""

    def __init__(self) -> None:
        self._not_before_s: OrderedDict[int, float] = OrderedDict()
        self._asked_at_s = float("-inf")

    def read(self, answer_ns: int, *, asked_at_s: float, now_s: float) -> GatewayTime:
        """The time of an answer that was asked for at ``asked_at_s`` and arrived now."""
        if answer_ns % NANOSECONDS:
            return GatewayTime(answer_ns / NANOSECONDS)
        not_before_s = self._not_before_s.setdefault(answer_ns, self._asked_at_s)
        while len(self._not_before_s) > REMEMBERED_MAX:
            self._not_before_s.popitem(last=False)
        self._asked_at_s = max(self._asked_at_s, asked_at_s)
        return GatewayTime(answer_ns / NANOSECONDS, WRONG_S_MAX, now_s - not_before_s)
