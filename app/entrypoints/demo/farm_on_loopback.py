"""Builds the demo's farm: a dev chain, a Redis server, and machines with real daemons in them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from app.adapters.libraries.timeouts import timeout
from app.domain.errors import PermanentError
from app.domain.model import Mac
from app.entrypoints.demo.installation import install, program
from app.entrypoints.demo.machine import REBOOT, Machine, broadcast_socket
from app.entrypoints.demo.redis_server import RedisServer
from app.entrypoints.demo.zos_machine import become_zos

LOOPBACK_BROADCAST = "127.255.255.255"
BLOCK_TIME_S = 0.5
FINALITY_LAG = 2
READY_S = 60.0

PACE: Mapping[str, Mapping[str, object]] = {
    "power_management": {"reconcile_interval_s": 20, "follow_up_s": 0.25},
    "wake": {"packets": 10, "packet_interval_s": 0.1, "retry_delay_s_min": 3, "retry_delay_s_max": 5},
}
"""Everything else is as on a real node; there one burst takes 5 s and blocks take 6 s."""


class DemoFailed(PermanentError):
    """A part of the demo did not start."""


@dataclass(frozen=True, slots=True)
class Farm:
    """All that runs."""

    chain_url: str
    farmer_key: Path
    farm_id: int
    machines: Mapping[int, Machine]
    redis: RedisServer | None
    directory: Path


@asynccontextmanager
async def farm_on_loopback(
    directory: Path, nodes: int, redis_url: str | None, profile: str = "systemd"
) -> AsyncIterator[Farm]:
    """Start everything, with every machine still dark. At the end all of it is stopped."""
    async with AsyncExitStack() as stack:
        redis = None if redis_url else RedisServer(directory / "redis")
        if redis is not None:
            await asyncio.to_thread(redis.start)
            stack.push_async_callback(asyncio.to_thread, redis.stop)
        chain = await stack.enter_async_context(dev_chain(directory, nodes))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        machines: dict[int, Machine] = {}
        port = 0
        for number, node in enumerate(chain["nodes"]):
            card = broadcast_socket(LOOPBACK_BROADCAST, port)
            port = card.getsockname()[1]
            broker = redis.url(number) if redis else database_of(str(redis_url), number)
            machine = _machine(directory, node, broker, chain["url"], port)
            if profile == "zos":
                become_zos(machine, node, chain, broker)
            else:
                install(machine, systemd_settings(machine, node))
            machines[machine.node] = machine
            living = group.create_task(machine.live(card), name=f"node {machine.node}")
            stack.callback(living.cancel)
        yield Farm(chain["url"], Path(chain["farmer"]["key_file"]), chain["farm_id"], machines, redis, directory)


@asynccontextmanager
async def dev_chain(directory: Path, nodes: int) -> AsyncIterator[dict[str, Any]]:
    """Start a dev chain as a process. Returns what it prints about itself and its farm."""
    keys = directory / "keys"
    log = (directory / "devchain.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        *(program("powerd-devchain"), "--port", "0", "--nodes", str(nodes), "--keys", str(keys)),
        *("--block-time-s", str(BLOCK_TIME_S), "--finality-lag", str(FINALITY_LAG)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
    )
    try:
        if process.stdout is None:
            raise DemoFailed("the dev chain has no output")
        async with timeout(READY_S):
            ready = await process.stdout.readline()
        if not ready:
            raise DemoFailed(f"the dev chain did not start; see {log.name}")
        yield json.loads((keys / "farm.json").read_text())
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        log.close()


def database_of(url: str, number: int) -> str:
    """The URL with another database for each node, since nodes cannot share a stream."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return urlunsplit(parts._replace(query=f"db={number}"))
    return urlunsplit(parts._replace(path=f"/{number}"))


def _machine(directory: Path, node: Mapping[str, Any], broker: str, chain_url: str, port: int) -> Machine:
    number = int(node["id"])
    machine = Machine(number, Mac.parse(node["mac"]), (), directory)
    machine.settings = {
        "broker": {"url": broker},
        "chain": {"urls": [chain_url], "era_blocks": 16},
        "nic": {"kind": "simulated", "mac": node["mac"]},
        "magic_packets": {"kind": "udp", "interface": "lo", "host": LOOPBACK_BROADCAST, "port": port},
        "host_facts": {
            "flags_dir": str(directory / f"node-{number}-flags"),
            "machine_file": str(machine.boot_file),
        },
        "boot_memory": {"file": str(directory / f"node-{number}-boots.json")},
        "holds": {"kind": "files", "dir": str(directory / f"node-{number}-holds")},
        "follower": {"cursor_file": str(machine.cursor)},
        "lock": {"dir": str(directory)},
        "metrics": {"kind": "off"},
        "status": {"socket": str(directory / f"node-{number}-status.sock")},
        **PACE,
    }
    return machine


def systemd_settings(machine: Machine, node: Mapping[str, Any]) -> Mapping[str, Mapping[str, object]]:
    """On plain Linux powerd signs with the node's key, and runs a command to power off."""
    return {
        "identity": {"key_file": node["key_file"], "key_type": "ed25519"},
        "host_power": {
            # As with systemd: SIGTERM may come before the command has ended, and by then the system is stopping.
            "power_off_command": ["sh", "-c", f": > {machine.going_down}; echo off > {machine.button}"],
            "force_power_off_command": ["sh", "-c", f": > {machine.going_down}; echo force > {machine.button}"],
            "reboot_command": ["sh", "-c", f": > {machine.going_down}; echo {REBOOT} > {machine.button}"],
            "force_reboot_command": ["sh", "-c", f": > {machine.going_down}; echo {REBOOT} > {machine.button}"],
            "state_command": ["sh", "-c", f"test -e {machine.going_down} && echo stopping || echo running"],
        },
    }
