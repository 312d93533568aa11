"""What an answer of ``GetTime`` tells of the chain's time, and from answer to answer of its moving; pure.

Theory of operation. The Go library behind api-gateway (go-substrate-rpc-client) reads the milliseconds
of a block's time as seconds: for a block at T it answers ``floor(T)`` plus the milliseconds of T as
seconds, so that .147 puts it 147 s ahead. So an answer in whole seconds stands for any time within the
`WRONG_S_MAX` before it; a gateway whose library is mended and that cuts off the fraction fits in there,
and an answer with a fraction comes from no such library and is exact.

By so vague a time a chain that stands still would look fresh for a quarter of an hour. So answers are
compared: what was not the answer at an earlier look is a block younger than that look. An answer that
was seen before stays as old as it was, though others came between (a gateway that goes back and forth
between two of its endpoints).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from app.adapters.codecs.go_types import NANOSECONDS

WRONG_S_MAX = 999.0
REMEMBERED_MAX = 16
"""Blocks a thousand seconds apart may have the same answer; with few of them that costs a look now and then."""


@dataclass(frozen=True, slots=True)
class ToldTime:
    """The time of the block lies within ``uncertainty_s`` before ``time_s``; for ``seen_s_max`` see `Head`."""

    time_s: float
    uncertainty_s: float = 0.0
    seen_s_max: float | None = None


class ChainTime:
    """Moments are those of a clock that never jumps, in seconds."""

    def __init__(self) -> None:
        self._not_before_s: OrderedDict[int, float] = OrderedDict()
        self._asked_at_s = float("-inf")

    def told(self, answer_ns: int, *, asked_at_s: float, now_s: float) -> ToldTime:
        """What the answer says that was asked for at ``asked_at_s`` and is here now."""
        if answer_ns % NANOSECONDS:
            return ToldTime(answer_ns / NANOSECONDS)
        not_before_s = self._not_before_s.setdefault(answer_ns, self._asked_at_s)
        while len(self._not_before_s) > REMEMBERED_MAX:
            self._not_before_s.popitem(last=False)
        self._asked_at_s = max(self._asked_at_s, asked_at_s)
        return ToldTime(answer_ns / NANOSECONDS, WRONG_S_MAX, now_s - not_before_s)
