"""The account that pays this node's extrinsics: one that can't pay is a fault at once (R13, R15)."""

from __future__ import annotations

from app.domain.errors import ExtrinsicRefused
from app.domain.faults import FaultKind
from app.domain.services.context.fault_board import FaultBoard

FAULT = FaultKind.WALLET.key()


class Wallet:
    """Gets the result of each extrinsic."""

    def __init__(self, faults: FaultBoard) -> None:
        self._faults = faults

    def failed(self, error: Exception) -> None:
        """Report a fault if the account could not pay."""
        if isinstance(error, ExtrinsicRefused) and error.reason == ExtrinsicRefused.PAYMENT:
            account = f" {error.account}" if error.account else ""
            self._faults.report(
                FAULT,
                f"this node's account{account} can't pay fees, so that the chain takes neither uptime nor power state "
                "from it, and nothing is paid for it: send that account some TFT (1 TFT pays a thousand failed calls; "
                "those that succeed are free)",
            )

    def paid(self) -> None:
        self._faults.clear(FAULT)
