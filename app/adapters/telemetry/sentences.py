"""The log's sentence and level for each event, as one table."""

from __future__ import annotations

import dataclasses
import enum
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import get_type_hints

from app.domain.events import (
    AlarmLeft,
    BlocksSkipped,
    ChainReorganised,
    DomainEvent,
    EventDeadLettered,
    EventsHandled,
    EventsPublished,
    FaultCleared,
    FaultRaised,
    OperationFailed,
    PowerOffDecided,
    PowerOffOrdered,
    PowerStateSet,
    PowerUnreadable,
    RebootDecided,
    RebootOrdered,
    Reconciled,
    ShutdownAborted,
    ShutdownStep,
    StayingUp,
    UptimeReported,
    UptimeSkipped,
    WakeBurstStarted,
    WakeDeferred,
    WakeEnded,
    WakeProved,
)
from app.domain.values import value

SENTENCES: Mapping[type[DomainEvent], tuple[int, str]] = {
    EventsHandled: (logging.INFO, "events handled"),
    EventDeadLettered: (logging.WARNING, "an unreadable event was moved to the dead-letter stream"),
    WakeDeferred: (logging.INFO, "leaving a wake to other nodes first"),
    WakeBurstStarted: (logging.INFO, "waking a node"),
    WakeEnded: (logging.INFO, "a wake is over"),
    PowerStateSet: (logging.INFO, "the chain took our power state"),
    UptimeReported: (logging.INFO, "uptime reported"),
    UptimeSkipped: (logging.WARNING, "no uptime reported: the node is not healthy"),
    ShutdownStep: (logging.INFO, "shutting down"),
    ShutdownAborted: (logging.WARNING, "shutdown aborted"),
    StayingUp: (logging.INFO, "staying up though the target is Down"),
    WakeProved: (logging.INFO, "this boot was a wake: other nodes can wake this one"),
    AlarmLeft: (logging.INFO, "the clock's alarm of another program comes earlier, and stays"),
    PowerUnreadable: (logging.WARNING, "staying up: the chain's answer about this node can't be read"),
    PowerOffDecided: (logging.WARNING, "powering off, since the target on chain is Down"),
    RebootDecided: (logging.WARNING, "rebooting, since nothing is credited until this machine has booted"),
    PowerOffOrdered: (logging.WARNING, "power-off ordered"),
    RebootOrdered: (logging.WARNING, "reboot ordered"),
    Reconciled: (logging.DEBUG, "looked at the chain"),
    OperationFailed: (logging.WARNING, "an operation failed, and will be tried again"),
    FaultRaised: (logging.ERROR, "fault"),
    FaultCleared: (logging.INFO, "fault over"),
    EventsPublished: (logging.INFO, "events published"),
    BlocksSkipped: (logging.WARNING, "blocks skipped"),
    ChainReorganised: (logging.WARNING, "the chain was reorganised"),
}

DIGITS = 3
"""Decimal places of seconds in the log: milliseconds are enough."""

Value = str | int | float | bool | None | list["Value"]


@value
class Line:
    """One line of the log: ``event`` is the kind's name, ``fields`` are its facts, without nesting."""

    level: int
    sentence: str
    event: str
    fields: Mapping[str, Value]


def line_of(event: DomainEvent) -> Line:
    level, sentence = SENTENCES[type(event)]
    return Line(level, sentence, type(event).__name__, _fields(event))


def fact_names(kind: type[object]) -> Iterator[str]:
    """The names of an event's facts, as `line_of` gives them."""
    hints = get_type_hints(kind)
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # every event is one
        inner = hints[field.name]
        if dataclasses.is_dataclass(inner) and isinstance(inner, type):
            yield from fact_names(inner)
        else:
            yield field.name


def _fields(facts: object) -> dict[str, Value]:
    """The fields of a dataclass, with those of an inner one (``inclusion``, ``sample``) on the same level."""
    flat: dict[str, Value] = {}
    for field in dataclasses.fields(facts):  # type: ignore[arg-type]  # every event is one
        value = getattr(facts, field.name)
        if dataclasses.is_dataclass(value):
            flat.update(_fields(value))
        else:
            flat[field.name] = _plain(value)
    return flat


def _plain(value: object) -> Value:
    match value:
        case None | str() | int():
            return value
        case float():
            return round(value, DIGITS)
        case enum.Enum():
            return str(value.value)
        case Iterable():
            return [_plain(item) for item in value]
        case _:
            return str(value)
