"""Checks of the chain: each endpoint by itself, and this machine's clock against the blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.domain.errors import ChainUnavailable
from app.domain.rules.clock import HINT_WINDOW_S
from app.entrypoints.check.finding import Finding, Severity, failed, ok, warning
from app.entrypoints.check.subject import Subject

if TYPE_CHECKING:
    from app.adapters.substrate.endpoint_look import EndpointLook

OTHERS = "another endpoint of chain.urls serves meanwhile; bring this one back, or name one that works in its place"
ALONE = "set an endpoint that works in chain.urls; without one powerd neither reports uptime nor obeys the target"


async def endpoints(subject: Subject) -> Sequence[Finding]:
    """An endpoint that fails is a warning while another one works."""
    looks = await subject.endpoints()
    genesis = subject.settings.chain.genesis_hash or _first_genesis(list(looks.values()))
    problems = {name: _problem(subject, look, genesis) for name, look in looks.items()}
    well = [name for name, problem in problems.items() if not problem]
    found = []
    for name, look in looks.items():
        if problem := problems[name]:
            found.append(warning(problem, OTHERS, name) if well else failed(problem, ALONE, name))
        elif not isinstance(look, ChainUnavailable):
            found.append(_doubt(look) or ok(_about(look), name))
    return found


def _first_genesis(looks: Sequence[EndpointLook | ChainUnavailable]) -> str:
    return next((look.genesis for look in looks if not isinstance(look, ChainUnavailable)), "")


def _problem(subject: Subject, look: EndpointLook | ChainUnavailable, genesis: str) -> str:
    """Why powerd can't work with this endpoint; empty when it can."""
    if isinstance(look, ChainUnavailable):
        return str(look)
    if look.genesis != genesis:
        source = "chain.genesis_hash" if subject.settings.chain.genesis_hash else "the first endpoint that answered"
        return f"serves another chain: its genesis is {look.genesis}, and that of {source} is {genesis}"
    now_s, limits = subject.clock.now(), subject.settings.chain
    for head, age_s_max in ((look.best, limits.best_head_age_s_max), (look.finalized, limits.finalized_head_age_s_max)):
        age_s = head.off_by_s(now_s)
        if age_s_max and age_s > age_s_max:
            return f"its {head.kind.value} head {head.number} is {age_s:.0f} s old, more than {age_s_max:.0f} s"
    if look.takes_extrinsics is False:
        return "takes no extrinsics (author_submitAndWatchExtrinsic is not among its methods)"
    return ""


def _doubt(look: EndpointLook) -> Finding | None:
    remedy = "look at that node, or name another endpoint before it in chain.urls"
    if look.syncing:
        return warning(f"is still syncing; {_about(look)}", remedy, look.name)
    if look.lonely:
        return warning(
            f"has no peers, so an extrinsic given to it reaches no other node; {_about(look)}", remedy, look.name
        )
    return None


def _about(look: EndpointLook) -> str:
    takes = "takes extrinsics" if look.takes_extrinsics else "does not say whether it takes extrinsics"
    return (
        f"{look.spec}, block {look.best.number}, finalized {look.lag_blocks} behind; {takes}; genesis "
        f"{look.genesis[:10]}…"
    )


async def clock(subject: Subject) -> Sequence[Finding]:
    """The chain refuses a report whose time is more than 60 s off that of the block that takes it."""
    head = await subject.head()
    if head is None:
        return [Finding(Severity.SKIPPED, "the gateway does not have the chain's time")]
    off_s = head.off_by_s(subject.clock.now())
    remedy = "set the clock by NTP (`timedatectl set-ntp true`); while it is wrong no uptime is reported"
    if off_s < -HINT_WINDOW_S:
        return [failed(f"this machine's clock is {-off_s:.0f} s behind the chain's newest block", remedy)]
    if off_s <= HINT_WINDOW_S:
        return [ok(f"{off_s:.0f} s after the newest block, of {HINT_WINDOW_S:.0f} s that the chain allows either way")]
    if not subject.settings.chain.best_head_age_s_max:
        return [ok("the age of the newest block says nothing (chain.best_head_age_s_max = 0)")]
    return [
        failed(
            f"the newest block of any endpoint is {off_s:.0f} s old: the clock is ahead, or the chain stands still",
            remedy,
        )
    ]
