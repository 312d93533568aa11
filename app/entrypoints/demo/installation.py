"""Puts powerd and its follower on a machine of the demo, with their settings."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.entrypoints.demo.machine import Daemon, Machine


def install(
    machine: Machine, over: Mapping[str, Mapping[str, object]], profile: str = "systemd", beside: Sequence[Daemon] = ()
) -> None:
    """Settings ``over`` those of the machine; ``beside`` are the other daemons of its init system."""
    config = machine.directory / f"node-{machine.node}.toml"
    config.write_text(toml({**machine.settings, **over}))
    powerd = [program("powerd"), "--profile", profile, "--config", str(config)]
    machine.daemons = (Daemon("powerd", powerd), Daemon("events", [*powerd, "events"]), *beside)


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def toml(sections: Mapping[str, Mapping[str, object]]) -> str:
    """A settings file; JSON's strings, numbers and lists are TOML's too."""
    lines = []
    for name, keys in sections.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items()), ""]
    return "\n".join(lines)
