"""The farm: a dev chain, a farmer with the command line, and a second node whose real daemon wakes the machine."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.client import SubstrateClient
from app.domain.model import HeadKind, NodeId, NodePower
from app.entrypoints.demo.installation import program, toml
from app.entrypoints.demo.redis_server import RedisServer
from tests.rigs.dev_rpc import line

READY_S = 120.0
BLOCK_TIME_S = 3.0
FINALITY_LAG = 4
MACHINE = NodeId(1)
WAKER = NodeId(2)
LOOK_S = 1.0


class FarmFailed(Exception):
    """A part of it did not come up, or the chain did not come to say what it should."""


@dataclass(slots=True)
class Farm:
    """Node 1 is the machine, node 2 a daemon on this host."""

    about: Mapping[str, Any]
    chain: SubstrateChain
    directory: Path

    @property
    def port(self) -> int:
        """Of the chain, on the host's loopback."""
        return int(str(self.about["url"]).rpartition(":")[2])

    def node(self, number: NodeId) -> Mapping[str, Any]:
        """What the dev chain says of it: key file, MAC."""
        return next(node for node in self.about["nodes"] if node["id"] == number)

    async def farmer(self, *words: str) -> str:
        """``powerd farm …``; what it says. Raises `FarmFailed`."""
        process = await asyncio.create_subprocess_exec(
            *(program("powerd"), "farm", *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={
                **os.environ,
                "POWERD_CHAIN_URLS": str(self.about["url"]),
                "POWERD_FARMER_KEY_FILE": str(self.about["farmer"]["key_file"]),
            },
        )
        said = (await process.communicate())[0].decode()
        if process.returncode:
            raise FarmFailed(f"powerd farm {' '.join(words)}: exit code {process.returncode}: {said}")
        return said

    def hold_finality(self, held: bool) -> None:
        """Let finality stand still, or go on."""
        # Opened for the call: the chain ends a connection that is silent while a machine boots.
        with line(str(self.about["url"])) as admin:
            admin.ask("dev_holdFinality", held)

    async def power(self, number: NodeId = MACHINE) -> NodePower:
        """Target and state on the best head."""
        power = (await self.chain.powers([number], HeadKind.BEST)).powers[number]
        if not isinstance(power, NodePower):
            raise FarmFailed(f"the chain's record of node {number} can't be read: {power}")
        return power

    async def until_state(self, state: str, *, within_s: float) -> None:
        """Wait for the state of the machine's node."""
        power = None
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    power = await self.power()
                    if power.state.power.value == state:
                        return
                    await asyncio.sleep(LOOK_S)
        raise FarmFailed(f"the chain did not say {state} of the machine within {within_s:.0f} s, but {power}")


@asynccontextmanager
async def farm(directory: Path, packets_to: int) -> AsyncIterator[Farm]:
    """Everything up; node 2 sends its magic packets to UDP port ``packets_to`` of the loopback."""
    async with AsyncExitStack() as stack:
        keys = directory / "keys"
        chain = await stack.enter_async_context(
            running(
                *(program("powerd-devchain"), "--port", "0", "--nodes", "2", "--keys", str(keys)),
                *("--block-time-s", str(BLOCK_TIME_S), "--finality-lag", str(FINALITY_LAG)),
                log=directory / "devchain.log",
            )
        )
        await _until(keys / "farm.json", chain)
        about = json.loads(_text(keys / "farm.json"))
        redis = RedisServer(directory / "redis")
        await asyncio.to_thread(redis.start)
        stack.push_async_callback(asyncio.to_thread, redis.stop)
        config = directory / "waker.toml"
        config.write_text(toml(_waker(directory, about, redis.url(), packets_to)))
        await stack.enter_async_context(
            running(program("powerd"), "--profile", "systemd", "--config", str(config), log=directory / "waker.log")
        )
        client = SubstrateClient([about["url"]])
        stack.push_async_callback(client.close)
        seed = bytes.fromhex(_text(about["nodes"][0]["key_file"]).strip())
        yield Farm(about, SubstrateChain(client, seed=seed), directory)


@asynccontextmanager
async def running(*command: str, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that ends with the body."""
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=file, stderr=file
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def _text(path: str | Path) -> str:
    return Path(path).read_text()


async def _until(path: Path, process: asyncio.subprocess.Process) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(READY_S):
            while process.returncode is None:
                with suppress(OSError, ValueError):
                    if json.loads(_text(path)):
                        return
                await asyncio.sleep(0.1)
    raise FarmFailed(f"the dev chain did not start; see {path.parent.parent}/devchain.log")


def _waker(directory: Path, about: Mapping[str, Any], broker: str, port: int) -> Mapping[str, Mapping[str, object]]:
    node = about["nodes"][WAKER - 1]
    return {
        "broker": {"url": broker},
        "chain": {"urls": [about["url"]], "era_blocks": 16},
        "identity": {"key_file": node["key_file"], "key_type": "ed25519"},
        "nic": {"kind": "simulated", "mac": node["mac"]},
        "magic_packets": {"kind": "udp", "interface": "lo", "host": "127.0.0.1", "port": port},
        # It stays up; a target Down would not switch this host off.
        # A sign of life that the machine sees: one from before its first look is none on a chain so young.
        "uptime": {"interval_s": 30},
        "power_management": {"enabled": False, "reconcile_interval_s": 15},
        "host_power": {
            key: ["false"]
            for key in ("power_off_command", "force_power_off_command", "reboot_command", "force_reboot_command")
        },
        "boot_memory": {"file": str(directory / "waker-boots.json")},
        "holds": {"kind": "files", "dir": str(directory / "waker-holds")},
        "host_facts": {"flags_dir": str(directory / "waker-flags")},
        "lock": {"dir": str(directory)},
    }
