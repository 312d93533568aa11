"""Checks that the chain's answers about a farm are recent: an endpoint that lags behind the chain still answers."""

from __future__ import annotations

from app.adapters.linux.clock import SystemClock
from app.domain.model import Head
from app.entrypoints.settings.schema import Settings
from app.entrypoints.terminal.durations import shown_duration

OLD_S = 300.0
"""The nodes judge by less (R6); they look again themselves, right before they power off."""


def age_s_of(head: Head) -> float:
    """By this machine's clock; 0 for a head that is ahead of it."""
    return max(0.0, SystemClock().now() - head.time_s)


def is_old(head: Head, settings: Settings) -> bool:
    """Never where the settings say that the age of heads is not checked."""
    limit_s = settings.chain.best_head_age_s_max
    return limit_s > 0 and age_s_of(head) > max(limit_s, OLD_S)


def old_head(head: Head, settings: Settings) -> str:
    """What is wrong with this head, and the remedy; empty if it is recent."""
    if not is_old(head, settings):
        return ""
    return (
        f"the newest block that any endpoint has, {head.number}, is {shown_duration(age_s_of(head))} old by this "
        "machine's clock: name an endpoint that keeps up with the chain (chain.urls), or set the clock"
    )
