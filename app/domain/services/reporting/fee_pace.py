"""Slows down extrinsics that cost a fee when they fail; an account that can't pay is a fault at once (R13, R15)."""

from __future__ import annotations

from app.domain.backoff import Backoff
from app.domain.errors import ChainUnavailable, ExtrinsicFailed, ExtrinsicRefused, ExtrinsicUncertain
from app.domain.faults import FaultKind
from app.domain.measurements import Call, ExtrinsicEnded, Fate
from app.domain.services.context.attempts import Attempts
from app.domain.services.context.node_context import NodeContext
from app.domain.values import value

WALLET_FAULT = FaultKind.WALLET.key()


@value
class FeePolicy:
    """Pauses in seconds: after an extrinsic that ``failed`` in a block, and after one that may have (``uncertain``)."""

    failed: Backoff
    uncertain: Backoff


FATES: tuple[tuple[type[Exception], Fate], ...] = (
    (ExtrinsicFailed, Fate.FAILED),
    (ExtrinsicRefused, Fate.REFUSED),
    (ExtrinsicUncertain, Fate.UNCERTAIN),
    (TimeoutError, Fate.UNCERTAIN),
    (ChainUnavailable, Fate.NOT_SENT),
)
"""Other errors, such as a wrong clock, come before an extrinsic is made."""


class FeePace:
    """The pace of one kind of extrinsic. A refused extrinsic costs nothing, and causes no pause."""

    def __init__(self, context: NodeContext, policy: FeePolicy, call: Call) -> None:
        self._telemetry = context.telemetry
        self._call = call
        self._attempts = Attempts(context.clock, context.jitter)
        self._faults = context.faults
        self._policy = policy
        self._reason = ""

    @property
    def paused(self) -> str:
        """Why the extrinsic is not sent now; empty when it can be."""
        return self._reason if self._attempts.due_in_s else ""

    def failed(self, error: Exception) -> float:
        """Record a failure; returns the pause before the next attempt in seconds, 0 for an error that cost nothing."""
        if isinstance(error, ExtrinsicRefused) and error.reason == ExtrinsicRefused.PAYMENT:
            self._cannot_pay(error.account)
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
        """Record a success: the next failure is the first."""
        self._faults.clear(WALLET_FAULT)
        self._telemetry.measure(ExtrinsicEnded(self._call, Fate.INCLUDED))
        self._attempts.succeeded()

    def _cannot_pay(self, account: str) -> None:
        name = f" {account}" if account else ""
        self._faults.report(
            WALLET_FAULT,
            f"this node's account{name} can't pay fees, so that the chain takes neither uptime nor power state "
            "from it, and nothing is paid for it: send that account some TFT (1 TFT pays a thousand failed calls; "
            "those that succeed are free)",
        )
