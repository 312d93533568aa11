"""A machine of the demo that runs Zero-OS: stand-ins for its daemons beside powerd, each a process.

Its follower stands in for noded, which feeds the event stream there.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from app.entrypoints.demo.installation import install
from app.entrypoints.demo.machine import REBOOT, Daemon, Machine

STAND_INS = "app.entrypoints.neighbours"
ZINIT_VERSION = "v0.2.14"


def become_zos(machine: Machine, node: Mapping[str, Any], chain: Mapping[str, Any], broker: str) -> None:
    """Only the addresses of Redis and zinit are settings. powerd asks its neighbours for everything else."""
    socket = machine.directory / f"node-{machine.node}-zinit.sock"

    def stand_in(name: str, *options: str) -> Daemon:
        return Daemon(name, [sys.executable, "-m", STAND_INS, name, "--broker", broker, *options])

    zinit = [
        *(sys.executable, "-m", f"{STAND_INS}.zinit", "--version", ZINIT_VERSION),
        *("--socket", str(socket), "--on-shutdown", f"echo off > {machine.button}"),
        *("--on-reboot", f"echo {REBOOT} > {machine.button}"),
    ]
    install(
        machine,
        {
            "zinit": {
                "socket": str(socket),
                "version_command": ["echo", f"zinit {ZINIT_VERSION}"],
                "force_power_off_command": ["sh", "-c", f"echo force > {machine.button}"],
                "force_reboot_command": ["sh", "-c", f"echo {REBOOT} > {machine.button}"],
            },
            "zbus": {"gateway_follow_up_s": 0.25},
            "shutdown": {"settled_s": 2},
        },
        "zos",
        (
            Daemon("zinit", zinit),
            stand_in("registrar", "--node", str(node["id"]), "--twin", str(node["twin_id"])),
            stand_in("identityd", "--farm", str(chain["farm_id"])),
            stand_in("api-gateway", "--chain", chain["url"], "--key-file", node["key_file"]),
            stand_in("zui"),
        ),
    )
