"""Compares this machine's clock with the chain's before a report: the chain refuses a wrong time, at a fee (R13)."""

from __future__ import annotations

from app.domain.errors import ChainUnavailable, ClockWrong, PowerdError
from app.domain.faults import FaultKind
from app.domain.model import Head, HeadKind
from app.domain.rules.clock import HINT_WINDOW_S, RIGHT_AGAIN_S, ClockState, judge, same_drift
from app.domain.services.context.fault_board import FaultBoard
from app.ports.chain import ChainReader
from app.ports.clock import Clock

FAULT = FaultKind.CLOCK_DRIFT.key()
POLL_S = 3.0
NEXT_BLOCK_S_MAX = 30.0
"""The time of five blocks: a chain that makes none in that time says nothing about the clock."""
STANDS_STILL = (
    f"the chain has made no block for {NEXT_BLOCK_S_MAX:.0f} s, so that a report would wait for one and be too old"
)
NOT_COMPARED = "no head can be read, so that whether this machine's clock is right again is not known"
REMEDY = "check that it is synchronised (NTP)"


class ClockWatch:
    """Remembers whether the clock was wrong at the last check. ``blocks_come``: blocks come by themselves."""

    def __init__(self, chain: ChainReader, clock: Clock, faults: FaultBoard, *, blocks_come: bool) -> None:
        self._chain = chain
        self._clock = clock
        self._faults = faults
        self._blocks_come = blocks_come
        self._shown_s: float | None = None

    async def check(self) -> None:
        """Check now: raises `ClockWrong`, and keeps a fault, while the clock is certainly wrong.

        A chain that can't be read, or whose head is old, is no evidence. But a clock that was wrong counts as wrong
        until a head is read, with `ChainUnavailable`: a refused report costs a fee, and the pause after it may outlast
        the wrong clock.

        `ChainUnavailable` is also raised while the chain makes no block: the uptime of a report that waits for one is
        too small by then, and if the clock is ahead, the chain takes it nevertheless. For the minting that is a
        violation.
        """
        window_s = HINT_WINDOW_S if self._shown_s is None else RIGHT_AGAIN_S
        head = await self._head()
        if head is None:
            if self._shown_s is not None:
                raise ChainUnavailable(NOT_COMPARED)
            return
        verdict = judge(head, self._clock.now(), window_s, young=False)
        if verdict is ClockState.AHEAD_OR_STALE:
            old, head = head, await self._next_head(head)
            if head is None:
                return
            if not _is_other(head, old):
                raise ChainUnavailable(STANDS_STILL)
            verdict = judge(head, self._clock.now(), window_s, young=True)
        if verdict is ClockState.RIGHT:
            self.right()
        else:
            self._wrong(head.off_by_s(self._clock.now()))

    async def refused(self) -> None:
        """The chain refused a report's time: report a fault in any case; raises `ClockWrong` if the clock is wrong."""
        try:
            await self.check()
        except ClockWrong:
            raise
        except PowerdError:
            pass  # a chain that stands still, or can't be read, is no evidence
        self._faults.report(
            FAULT,
            "the chain refused the time of an uptime report, which it takes within ±60 s only: the report came late "
            f"into a block, or this machine's clock is wrong; {REMEDY}",
        )

    def right(self) -> None:
        """The clock is right, as a block or an included report shows."""
        self._shown_s = None
        self._faults.clear(FAULT)

    def _wrong(self, drift: float) -> None:
        if self._shown_s is None or not same_drift(self._shown_s, drift):
            self._shown_s = drift
        problem = f"this machine's clock differs by {self._shown_s:+.0f} s from the chain's"
        self._faults.report(
            FAULT,
            f"{problem}, which takes uptime within ±60 s only: none is reported, and none is paid, until the clock is "
            f"right; {REMEDY}",
        )
        raise ClockWrong(f"{problem}; {REMEDY}")

    async def _next_head(self, old: Head) -> Head | None:
        """Wait for the next head, and read it soon enough to know its age; the old head again when no block comes.

        None where that is not known.
        """
        if not self._blocks_come:
            return None
        head = old
        waited_s = 0.0
        while waited_s < NEXT_BLOCK_S_MAX:
            await self._clock.sleep(POLL_S)
            waited_s += POLL_S
            now = await self._head()
            if now is None or _is_next(now, old):
                return now
            head = now
        return None if _is_other(head, old) else head

    async def _head(self) -> Head | None:
        try:
            return await self._chain.head(HeadKind.BEST)
        except ChainUnavailable:
            return None


def _is_next(head: Head, old: Head) -> bool:
    """Whether it is a newer block. A gateway that switches between endpoints can show older ones."""
    if head.seen_s_max is not None and head.seen_s_max > NEXT_BLOCK_S_MAX:
        return False
    return _is_other(head, old)


def _is_other(head: Head, old: Head) -> bool:
    return (head.number, head.time_s) != (old.number, old.time_s)
