"""Paces what costs a fee when it fails: ever more slowly, until it succeeds (R15)."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.backoff import Backoff
from app.domain.errors import ChainUnavailable, ExtrinsicFailed, ExtrinsicRefused, ExtrinsicUncertain
from app.domain.measurements import Call, ExtrinsicEnded, Fate
from app.domain.services.context.attempts import Attempts
from app.domain.services.context.node_context import NodeContext
from app.domain.services.reporting.wallet import Wallet


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """Seconds. ``failed``: after an extrinsic that was included and failed; ``uncertain``: after one that may have."""

    failed: Backoff = Backoff(60.0, 1200.0)
    uncertain: Backoff = Backoff(5.0, 1200.0)


FATES: tuple[tuple[type[Exception], Fate], ...] = (
    (ExtrinsicFailed, Fate.FAILED),
    (ExtrinsicRefused, Fate.REFUSED),
    (ExtrinsicUncertain, Fate.UNCERTAIN),
    (TimeoutError, Fate.UNCERTAIN),
    (ChainUnavailable, Fate.NOT_SENT),
)
"""Of any other error no extrinsic was made: a wrong clock, say."""


class FeePace:
    """Of one kind of extrinsic. What the chain did not take costs nothing, and slows nothing down."""

    def __init__(self, context: NodeContext, wallet: Wallet, policy: FeePolicy, call: Call) -> None:
        self._telemetry = context.telemetry
        self._call = call
        self._attempts = Attempts(context.clock, context.jitter)
        self._wallet = wallet
        self._policy = policy
        self._reason = ""

    @property
    def paused(self) -> str:
        """Why it is not sent now, or empty."""
        return self._reason if self._attempts.due_in_s else ""

    def failed(self, error: Exception) -> float:
        """The pause before the next attempt; 0 for an error that cost nothing."""
        self._wallet.failed(error)
        for kind, fate in FATES:
            if isinstance(error, kind):
                self._telemetry.measure(ExtrinsicEnded(self._call, fate))
        if isinstance(error, ExtrinsicFailed):
            backoff, self._reason = self._policy.failed, error.outcome
        elif isinstance(error, ExtrinsicUncertain | TimeoutError):
            backoff, self._reason = self._policy.uncertain, str(error) or "it took too long"
        else:
            return 0.0
        return self._attempts.failed(backoff)

    def succeeded(self) -> None:
        """It was taken: the next failure is the first."""
        self._wallet.paid()
        self._telemetry.measure(ExtrinsicEnded(self._call, Fate.INCLUDED))
        self._attempts.succeeded()
