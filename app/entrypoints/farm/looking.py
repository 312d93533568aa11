"""Reads a farm, and returns why the view may be out of date.

An endpoint that does not follow the chain any more still answers. Where one address has several endpoints, the
next answer can be some blocks older than the block of the farmer's last command.
"""

from __future__ import annotations

import asyncio

from app.adapters.files.last_write import LastWrite, load_last_write
from app.adapters.linux.clock import SystemClock
from app.adapters.substrate.farm_view import FarmView
from app.domain.model import FarmId, Head
from app.entrypoints.farm.minting.cache import last_write_path
from app.entrypoints.settings.schema import Settings
from app.entrypoints.terminal.durations import shown_duration
from app.entrypoints.wiring.container import Container

CATCHES_UP_S = 12.0
"""The time of two blocks: an endpoint that is behind gets this long to catch up."""
PAUSE_S = 0.5
OLD_S = 300.0
"""The nodes judge by less (R6); they look again themselves, right before they power off."""


async def look(container: Container, farm: FarmId) -> tuple[FarmView, str]:
    """The farm, not older than the last own write where any endpoint knows that; beside it what is in doubt, or ""."""
    settings = container.settings()
    last = load_last_write(last_write_path(settings.chain.urls))
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + CATCHES_UP_S
    while True:
        view: FarmView = await container.farm_view().look(farm)
        behind = last is not None and last.is_missed_by(view.head, SystemClock().now())
        if not behind or loop.time() >= deadline_s:
            break
        container.chain_client().endpoints.ask_another()
        await asyncio.sleep(PAUSE_S)
    return view, _behind(last, view) if behind and last else old_head(view.head, settings)


def _behind(last: LastWrite, view: FarmView) -> str:
    return (
        f"the newest block that any endpoint has, {view.head.number}, is older than block {last.block}, in which "
        "your last target is: wait a minute, or name an endpoint that keeps up with the chain (chain.urls)"
    )


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
