"""Checks of Redis: it answers, is new enough, grants the rights, has the group, and serves no other node."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.entrypoints.check.finding import Finding, failed, ok, warning
from app.entrypoints.check.subject import Subject

OLDEST = (5, 0)
RIGHTS = "give this user the rights that docs/redis.md lists"


async def broker(subject: Subject) -> Sequence[Finding]:
    redis = await subject.broker()
    version = await redis.version()
    if not version:
        return [ok(f"answers at {redis.name}; this user may not ask for its version (INFO)")]
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        return [failed(f"version {version} at {redis.name} has no streams", "powerd needs Redis 5.0 or newer")]
    return [ok(f"version {version} at {redis.name}")]


async def rights(subject: Subject) -> Sequence[Finding]:
    refused = dict(await (await subject.broker()).refused())
    group = await (await subject.broker()).group()
    found = []
    events = [name for name in refused.pop("events", ()) if not (name == "XGROUP" and group and group.there)]
    if needed := [name for name in events if name in ("XREADGROUP", "XGROUP")]:
        found.append(failed(f"no event can be read: this user may not {' or '.join(needed)}", RIGHTS))
    elif events:
        found.append(warning(f"this user may not {' or '.join(events)}: events are handled again and again", RIGHTS))
    for purpose, names in refused.items():
        found.append(warning(f"no {purpose}: this user may not {' or '.join(names)}", RIGHTS))
    return found or [ok("this user may do all that can be asked without doing it")]


async def stream(subject: Subject) -> Sequence[Finding]:
    name, group = subject.settings.events.stream, await (await subject.broker()).group()
    if group is None:
        return [warning(f"it is not known whether {name} has the group: this user may not XINFO", RIGHTS)]
    if not group.there:
        return [ok(f"no group on {name} yet: powerd makes it when it starts")]
    return [ok(f"the group is there; {group.entries} entries, {group.pending} of them pending")]


async def readers(subject: Subject) -> Sequence[Finding]:
    node = await subject.node()
    own = f"node {node.node} of farm {node.farm}"
    others = [name for name in await (await subject.broker()).readers() if name != own]
    if not others:
        return [ok("no other node counted itself a reader of this stream within the last hour")]
    return [
        warning(
            f"{', '.join(others)} read this stream too within the last hour: each event reaches only one node",
            "give every node a Redis database of its own (broker.url); a node that left is forgotten within the hour",
        )
    ]
