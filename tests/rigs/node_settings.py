"""The settings of a node under test: those of production, with shorter times and all files in one directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.domain.model import NodeId
from app.entrypoints.demo.redis_server import RedisServer
from tests.rigs.chain.as_process import DevChain
from tests.slowness import patient

ME = NodeId(1)
PEER = NodeId(2)

Settings = Mapping[str, Mapping[str, object]]

PACE: Settings = {
    "power_management": {"reconcile_interval_s": 60, "follow_up_s": 0.1, "last_waker_guard": False},
    "wake": {
        "call_silent": False,
        "packets": 2,
        "packet_interval_s": 0.05,
        "retry_delay_s_min": 0.5,
        "retry_delay_s_max": 1,
    },
    "chain": {"timeout_s": patient(2), "inclusion_timeout_s": patient(6), "era_blocks": 16},
    "shutdown": {
        "final_deadline_s": patient(4),
        "settled_s": 0.5,
        "uptime_deadline_s": patient(2),
        "power_off_deadline_s": patient(0.6),
        "retry_later_s": 1,
    },
    "uptime": {"retry_delay_s_min": 0.2, "retry_delay_s_max": 1, "first_report_wait_s": patient(5)},
    "log": {"format": "json", "level": "debug"},
}
"""Shorter times than on a real node, since the blocks are shorter too; deadlines grow on a slow machine.

No daemon runs on the other nodes, so that none of them gives a sign of life."""


def node_settings(
    chain: DevChain, redis: RedisServer, directory: Path, urls: Sequence[str]
) -> dict[str, Mapping[str, object]]:
    me = about_me(chain)
    script = ["sh", str(directory / "power-off.sh")]
    return {
        "broker": {"url": redis.url()},
        "chain": {"urls": list(urls)},
        "identity": {"key_file": me["key_file"], "key_type": "ed25519"},
        "metrics": {"kind": "off"},
        "nic": {"kind": "simulated", "mac": me["mac"], "armed_file": str(directory / "armed-cards")},
        "magic_packets": {"kind": "udp", "interface": "lo", "host": "127.255.255.255", "port": 9},
        "host_power": {
            "power_off_command": [*script, "orderly"],
            "force_power_off_command": [*script, "forced"],
            "reboot_command": [*script, "reboot"],
            "force_reboot_command": [*script, "forced-reboot"],
            "state_command": ["echo", "running"],
            "timeout_s": patient(1),
        },
        "host_facts": {"flags_dir": str(directory / "flags"), "machine_file": str(directory / "machine")},
        "boot_memory": {"file": str(directory / "boots.json")},
        "holds": {"kind": "files", "dir": str(directory / "holds")},
        "follower": {"cursor_file": str(directory / "cursor.json")},
        "lock": {"dir": str(directory / "locks")},
        "status": {"socket": str(directory / "status.sock")},
    }


def zos_settings(directory: Path, zinit: str) -> dict[str, Mapping[str, object]]:
    """The settings of the profile ``zos``: no chain and no key, as neighbours answer; echo prints zinit's version."""
    force = ["sh", str(directory / "power-off.sh"), "forced"]
    return {
        "chain": {},
        "identity": {},
        "host_power": {"timeout_s": patient(1)},
        "zinit": {
            "socket": str(directory / "zinit.sock"),
            "version_command": ["echo", f"zinit {zinit}"],
            "force_power_off_command": force,
        },
        "zbus": {"timeout_s": patient(2), "gateway_timeout_s": patient(6), "gateway_follow_up_s": 0.1},
    }


def about_me(chain: DevChain) -> Mapping[str, Any]:
    """What the dev chain prints of node 1: id, key file, MAC and so on."""
    me: Mapping[str, Any] = next(each for each in chain.about["nodes"] if each["id"] == ME)
    return me


def merged(*layers: Settings) -> Settings:
    """Merge settings, key by key; later ones win."""
    together: dict[str, dict[str, object]] = {}
    for layer in layers:
        for section, keys in layer.items():
            together.setdefault(section, {}).update(keys)
    return together
