"""What can go wrong, in two families; anything else that is raised is a bug and crashes loudly.

An expected "no" (an unreadable answer, a skipped report) is a value of the model, not an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class PowerdError(Exception):
    """Base of all errors that powerd raises on purpose. The text names the thing and the remedy."""


class RetryableError(PowerdError):
    """The same thing may succeed later: a connection, a time-out, a busy neighbour."""


class PermanentError(PowerdError):
    """Trying again changes nothing: an operator has to mend something first."""


class ChainUnavailable(RetryableError):
    """The chain could not be asked, or did not answer in time."""


class HistoryForgotten(PermanentError):
    """No endpoint remembers the state of an old block."""


class ExtrinsicUncertain(RetryableError):
    """An extrinsic was sent and its fate is not known; look at the chain before sending it again."""


class ExtrinsicRefused(RetryableError):
    """The transaction pool did not take the extrinsic (``stale``, ``payment``, …), or dropped it.

    ``account`` is that of the signer, as people write it; empty where it is not known.
    """

    PAYMENT: ClassVar = "payment"

    def __init__(self, call: str, reason: str, account: str = "") -> None:
        super().__init__(f"the chain refused the extrinsic {call}: {reason}")
        self.call = call
        self.reason = reason
        self.account = account


class ExtrinsicFailed(PermanentError):
    """The extrinsic was included and failed; ``error`` is the name the runtime's metadata gives.

    ``outcome`` says so without the block, which is another one every time.
    """

    INVALID_TIME: ClassVar = "InvalidTimestampHint"

    def __init__(self, call: str, error: str, block_hash: str) -> None:
        super().__init__(f"{call} failed in block {block_hash}: {error}")
        self.call = call
        self.error = error
        self.block_hash = block_hash
        self.outcome = f"{call} failed: {error}"


class StatePaused(RetryableError):
    """A power state that the chain did not take, at a fee, is not sent again yet."""


class ClockWrong(RetryableError):
    """This machine's clock differs from the chain's by more than a report of uptime may; it may be set right."""


class DownNotFinal(RetryableError):
    """Our state Down was taken back by the chain, or did not become final in time."""


class WrongChain(PermanentError):
    """The endpoint serves another chain, or a runtime without the pallet powerd needs."""


class IdentityUnavailable(RetryableError):
    """It is not known yet who this node is: its registration is in progress, or the service that knows it is away."""


class UnknownIdentity(PermanentError):
    """The chain knows no such node, twin or account."""


class IdentityChanged(PowerdError):
    """The chain says that this is another node than it was at the start, or of another farm."""


class EventsUnavailable(RetryableError):
    """The event bus could not be asked, or did not answer in time."""


class AmbiguousTarget(PermanentError):
    """An event whose target is neither Up nor Down, or both."""


class LoopStuck(PowerdError):
    """A loop that has to go on for ever made no progress for long: only a new process helps."""


class AnswerLate(RetryableError):
    """What was asked gave no answer in time: that may pass by itself, and is looked at again soon."""


class NicUnusable(RetryableError):
    """There is no network card this machine could be woken through (it may get one later)."""


class NicSilent(NicUnusable, AnswerLate):
    """The kernel did not answer in time about the network card."""


class NotWakeable(RetryableError):
    """Other nodes can't wake this machine by what the chain says of it (the record may be mended later)."""


class MagicPacketNotSent(RetryableError):
    """The operating system did not take the packet."""


class MagicPacketSentInPart(RetryableError):
    """The packet left by some interfaces; ``reasons`` say by interface why not by the others."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(reasons.values()))
        self.reasons = reasons


class HostPowerFailed(RetryableError):
    """The host's init system did not accept the order."""


class HostPowerLate(HostPowerFailed, AnswerLate):
    """What the host was asked took too long."""


class RtcUnusable(RetryableError):
    """The machine's clock has no alarm, or does not keep it."""


class RtcSilent(RtcUnusable, AnswerLate):
    """The kernel did not answer in time about the clock's alarm."""


class BootMemoryUnusable(RetryableError):
    """What the boot-loop guard remembers from one boot to the next can't be read or written now."""


class CursorNotSaved(RetryableError):
    """The follower's place can't be written now."""


class WindowMemoryUnusable(RetryableError):
    """What has to be remembered of this node's last Down can't be read or written now."""


class FaultsNotShown(RetryableError):
    """The place where operators look did not take the faults."""


class NodeNotKnown(PermanentError):
    """The farm has no such node."""


class NotWantedUp(PermanentError):
    """The node's target is Down: the farmer wants it asleep."""


class HoldsUnreadable(RetryableError):
    """Whether a hold keeps the machine up is not known; doubt never powers off."""
