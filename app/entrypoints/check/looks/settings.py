"""Checks of the settings, and of the software that powerd needs."""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import Sequence
from itertools import groupby

from app.domain.rules.uptime import GAP_S_MAX
from app.entrypoints.check.finding import Finding, failed, ok, warning
from app.entrypoints.check.origins import given
from app.entrypoints.check.subject import Subject
from app.entrypoints.settings.profiles import profile_of

PAID_S_MAX = GAP_S_MAX - 60.0
"""Between two reports: what the grid credits at most, less a minute for the block that takes the report."""
REPORT_OFTEN = f"the grid credits at most {GAP_S_MAX:g} s between two reports; set uptime.interval_s to 1200"
FROZEN_S_MAX = 3600.0
"""powerd gives a sign of life every 20 min, other programs every 40 min, and a block of it is final minutes later."""
SIGNS_SOON = "the last-waker guard would let this node sleep beside a node that froze; leave it out (45 min)"


async def settings(subject: Subject) -> Sequence[Finding]:
    """A line for each place that settings came from."""
    places = sorted(given(subject.given, subject.origins), key=lambda each: each[2])
    found = [
        ok("; ".join(f"{path} = {value}" for path, value, _ in group), place)
        for place, group in groupby(places, key=lambda each: each[2])
    ]
    rest = "all other settings have" if found else "no setting was given: all have"
    if (interval_s := subject.settings.uptime.interval_s) > PAID_S_MAX:
        found.append(warning(f"an uptime report every {interval_s:g} s leaves time unpaid", REPORT_OFTEN))
    if (sign_s := subject.settings.power_management.sign_of_life_s) > FROZEN_S_MAX:
        problem = f"power_management.sign_of_life_s: a node that froze counts as awake for {sign_s:g} s"
        found.append(warning(problem, SIGNS_SOON))
    return [*found, ok(f"{rest} their defaults (docs/configuration.md), in profile {profile_of(subject.settings)}")]


async def software(_: Subject) -> Sequence[Finding]:
    """Which packages installed the module scalecodec: a second one (cyscale, say) overwrites files of the first."""
    owners = await asyncio.to_thread(_owners_of_scalecodec)
    if owners == ["scalecodec"]:
        return [ok(f"scalecodec {importlib.metadata.version('scalecodec')}")]
    foreign = ", ".join(owner for owner in owners if owner != "scalecodec")
    if not foreign:
        return [failed("the package scalecodec is not installed", "reinstall powerd's requirements")]
    return [
        failed(
            f"the module scalecodec comes from {foreign} too, which does not read the chain as powerd needs it",
            f"`pip uninstall {foreign}`, then `pip install --force-reinstall scalecodec`",
        )
    ]


def _owners_of_scalecodec() -> list[str]:
    return sorted(set(importlib.metadata.packages_distributions().get("scalecodec", [])))
