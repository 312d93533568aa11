"""All scenes, by the names that ``--only`` takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from tests.machines.cards import CARD_SCENES
from tests.machines.scenes import (
    as_installed,
    full_disk,
    no_logind,
    read_only_root,
    reboots,
    sleeps_and_wakes,
    stubborn_service,
)
from tests.machines.stand import Stand
from tests.machines.upgrades import upgrades
from tests.machines.workday import workday

SCENES: Mapping[str, Callable[[Stand], Awaitable[None]]] = {
    "full-disk": full_disk,
    "read-only": read_only_root,
    "stubborn": stubborn_service,
    "reboot": reboots,
    "sleep": sleeps_and_wakes,
    "no-logind": no_logind,
    "upgrade": upgrades,
    "workday": workday,
    **CARD_SCENES,
    "as-installed": as_installed,
}

LONG = ("as-installed",)
"""Only when asked for: it waits for ten minutes."""
