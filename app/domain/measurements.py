"""What powerd counts and times for the metrics, and is too frequent for a line of the log."""

from __future__ import annotations

import enum

from app.domain.values import value


class Call(enum.Enum):
    """The extrinsics of a node; the value is the name of the call on chain."""

    REPORT_UPTIME = "report_uptime_v2"
    SET_POWER_STATE = "change_power_state"


class Fate(enum.Enum):
    """What became of an extrinsic."""

    INCLUDED = "included"
    FAILED = "failed"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    NOT_SENT = "not sent"


@value
class MagicPacketTried:
    """One magic packet was tried; ``sent``: at least one interface took it."""

    sent: bool


@value
class ExtrinsicEnded:
    """An extrinsic of this node came to its end, as far as is known."""

    call: Call
    fate: Fate


@value
class EventsPostponed:
    """The number of entries of the event stream that could not be handled, and are tried again."""

    deliveries: int


@value
class ChainAnswered:
    """The chain answered one request, or one batch of them; ``endpoint`` has no secrets."""

    endpoint: str
    took_s: float


@value
class LookSucceeded:
    """What a loop looks at (``itself``, ``the farm``) is in step with the chain, or on its way."""

    what: str


Measurement = MagicPacketTried | ExtrinsicEnded | EventsPostponed | ChainAnswered | LookSucceeded
"""Everything that telemetry gets beside the events."""
