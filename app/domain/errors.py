"""All errors that powerd raises on purpose, in two families. Any other exception is a bug, and ends the process.

An expected negative answer (an unreadable entry, a skipped report) is a value of the model, and no error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class PowerdError(Exception):
    """The base of all errors. The text says what is wrong, why, and what to do.

    A command that it ends has the exit code ``exit_code``: 2 for bad input, 78 for a wrong setting or key.
    """

    exit_code: ClassVar = 1


class RetryableError(PowerdError):
    """A retry may succeed: a broken connection, a time-out, a busy neighbour."""


class PermanentError(PowerdError):
    """A retry fails again until an operator fixes something."""


class ChainUnavailable(RetryableError):
    """The chain could not be read, or did not answer in time."""


class HistoryForgotten(PermanentError):
    """No endpoint has the state of an old block any more."""


class ExtrinsicUncertain(RetryableError):
    """An extrinsic was sent, and it is not known whether it was included. Read the chain before a retry."""


class ExtrinsicRefused(RetryableError):
    """The transaction pool did not take the extrinsic (``stale``, ``payment``, …), or dropped it.

    ``account`` is the signer's SS58 address; empty where it is not known.
    """

    PAYMENT: ClassVar = "payment"

    def __init__(self, call: str, reason: str, account: str = "") -> None:
        super().__init__(f"the chain refused the extrinsic {call}: {reason}")
        self.call = call
        self.reason = reason
        self.account = account


class ExtrinsicFailed(PermanentError):
    """The extrinsic was included and failed. ``error`` is its name in the runtime's metadata.

    ``outcome`` is the text without the block, so that it is the same at every try.
    """

    INVALID_TIME: ClassVar = "InvalidTimestampHint"

    def __init__(self, call: str, error: str, block_hash: str) -> None:
        super().__init__(f"{call} failed in block {block_hash}: {error}")
        self.call = call
        self.error = error
        self.block_hash = block_hash
        self.outcome = f"{call} failed: {error}"


class FeePause(RetryableError):
    """An extrinsic is not sent again yet, since the last try failed and cost a fee."""


class ClockWrong(RetryableError):
    """This machine's clock differs from the chain's by more than an uptime report allows."""


class UptimeStoodStill(RetryableError):
    """The uptime lacks time since the last report, such as that of a virtual machine that was paused."""


class DownNotFinal(RetryableError):
    """A fork undid our Down, or it did not become final in time."""


class WrongChain(PermanentError):
    """The endpoint serves another chain, or a runtime without the pallet powerd needs."""


class IdentityUnavailable(RetryableError):
    """powerd does not know yet which node this is: it is being registered, or the registrar does not answer."""


class UnknownIdentity(PermanentError):
    """The chain knows no such node, twin or account."""


class IdentityChanged(PowerdError):
    """The chain has another node or farm for this machine's key than at the start."""


class EventsUnavailable(RetryableError):
    """The event bus could not be read or written, or did not answer in time."""


class AmbiguousTarget(PermanentError):
    """An event whose target is neither Up nor Down, or both."""


class LoopStuck(PowerdError):
    """A loop made no progress for long, and only a new process helps."""


class AnswerLate(RetryableError):
    """The host gave no answer in time. That may pass by itself, so powerd asks again soon."""


class NicUnusable(RetryableError):
    """No network card can wake this machine. (One may appear later.)"""


class NicSilent(NicUnusable, AnswerLate):
    """The kernel did not answer in time about the network card."""


class NotWakeable(RetryableError):
    """Other nodes cannot wake this machine by its record on chain. (The record may be fixed later.)"""


class MagicPacketNotSent(RetryableError):
    """The operating system did not take the packet."""


class MagicPacketSentInPart(RetryableError):
    """Only some interfaces took the packet. ``reasons`` has the others: interface → reason."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(reasons.values()))
        self.reasons = reasons


class MagicPacketsNotHeard(PermanentError):
    """The operating system does not let this program listen for packets."""


class HostPowerFailed(RetryableError):
    """The host's init system did not accept the order."""


class HostPowerLate(HostPowerFailed, AnswerLate):
    """The host's init system did not answer in time."""


class RtcUnusable(RetryableError):
    """The machine's clock has no alarm, or does not keep it when it is set."""


class RtcSilent(RtcUnusable, AnswerLate):
    """The kernel did not answer in time about the clock's alarm."""


class MemoryUnusable(RetryableError):
    """A record that is kept over a restart (boots, last Down, wakes, checkpoint) can't be read or written now."""


class StatusNotServed(RetryableError):
    """powerd can't open the place that `powerd status` asks."""


class FaultsNotShown(RetryableError):
    """The display did not take the faults."""


class NodeNotKnown(PermanentError):
    """The farm has no other node with this id."""


class NotWantedUp(PermanentError):
    """The node's target is Down, so it must not be woken."""


class HoldsUnreadable(RetryableError):
    """powerd cannot read whether a hold keeps the machine up, so the machine stays up (R6)."""
