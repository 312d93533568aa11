"""The daemon (or the follower) of one node as a process, between a dev chain and a Redis that may misbehave.

The process writes its log as JSON lines; the rig hears them as they come, so that a test awaits what
it wants to see and never sleeps.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.adapters.linux.host_facts import boot_stand_in
from app.adapters.redis.power_events_out import RedisPowerEventsOut
from app.adapters.substrate.blocks import SubstrateBlocks
from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.power_targets import SubstratePowerTargets
from app.domain.errors import RetryableError
from app.domain.events import PowerTargetChanged
from app.domain.model import FarmId, HeadKind, NodeId, NodePower, Power
from app.entrypoints.demo.installation import program, toml
from app.entrypoints.demo.redis_server import RedisServer
from tests.rigs import forked_program as forked
from tests.rigs.chain_process import DevChain, dev_chain
from tests.rigs.dev_rpc import Line, line
from tests.rigs.forked_program import Forked
from tests.rigs.redis import server_in
from tests.rigs.zos import Neighbourhood, neighbourhood
from tests.slowness import patient

PATIENCE_S = patient(60.0)
"""How long a test waits before it says that nothing came; far above what anything here takes."""

STOPS_S = 5.0 + patient(3.0)
"""What R12 allows, and what a busy machine needs to let the process begin and end."""

ME = NodeId(1)
PEER = NodeId(2)

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
"""Everything is as on a real node, only shorter, as blocks are too; the machine may be slow. No daemon runs on the
other nodes, so that none of them gives a sign of life."""

Said = Mapping[str, Any]

Settings = Mapping[str, Mapping[str, object]]


@dataclass(slots=True)
class Program:
    """One process of ``powerd``, and what it has said since it was first started.

    With ``anew`` it loads all its modules itself, as in production, and the command may be any: for
    whoever measures it, or runs it in a namespace.
    """

    command: Sequence[str]
    anew: bool = False
    said: list[Said] = field(default_factory=list)
    starts: int = 0
    _process: Forked | None = None
    _hearing: asyncio.Task[None] | None = None
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def start(self) -> None:
        """Start it (again)."""
        anew = self.command if self.anew else ()
        module = ("",) if self.anew else forked.module_of(self.command)
        self._process = forked.start(*module, read="stderr", anew=anew)
        self.starts += 1
        self._hearing = asyncio.create_task(self._hear(self._process))

    async def kill(self) -> None:
        """SIGKILL."""
        await self._end(signal.SIGKILL)

    async def stop(self, *, early: bool = False) -> float:
        """SIGTERM; seconds until it had ended in order, or (``early``) before it listened to signals."""
        began_s = asyncio.get_running_loop().time()
        code = await self._end(signal.SIGTERM)
        assert code == 0 or (early and code == -signal.SIGTERM), self._told(0)
        return asyncio.get_running_loop().time() - began_s

    async def ended(self) -> int:
        """Its exit code, when it has ended by itself and all it said was heard."""
        assert self._process is not None
        assert self._hearing is not None
        async with asyncio.timeout(PATIENCE_S):
            await self._hearing
            return await self._process.ended()

    async def account(self) -> Mapping[str, Sequence[str]]:
        """What it says that runs in it now: ``tasks``, ``threads`` and ``descriptors``."""
        mark = self.mark()
        os.kill(self.pid, signal.SIGUSR1)
        return dict((await self.says("WhatRuns", since=mark))["facts"])

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    async def end_if_running(self) -> None:
        """However the test left it."""
        if self.running:
            await self.kill()

    def mark(self) -> int:
        """The place in the log to look from, for what is said after now."""
        return len(self.said)

    async def says(self, happening: str, *, since: int = 0, **facts: object) -> Said:
        """Wait for a line about ``happening`` whose facts are, or as texts contain, ``facts``."""
        wanted = f"{happening} {facts}"

        def found() -> Said | None:
            return next((line for line in self.said[since:] if _matches(line, happening, facts)), None)

        try:
            async with asyncio.timeout(PATIENCE_S), self._news:
                await self._news.wait_for(lambda: found() is not None or not self.running)
        except TimeoutError:
            raise AssertionError(f"it never said {wanted}, but: {self._told(since)}") from None
        line = found()
        assert line is not None, f"it ended and did not say {wanted}, but: {self._told(since)}"
        return line

    def count(self, happening: str, **facts: object) -> int:
        """How often it said so till now."""
        return sum(_matches(line, happening, facts) for line in self.said)

    def _told(self, since: int) -> str:
        return "\n".join(
            f"{line['time'][14:]} {line.get('happening', line['message'])} {line.get('facts', '')}"
            for line in self.said[since:]
            if line.get("happening") != "Reconciled"
        )

    async def _end(self, how: signal.Signals) -> int:
        process, hearing = self._process, self._hearing
        assert process is not None
        assert hearing is not None
        if process.returncode is None:
            process.send_signal(how)
        async with asyncio.timeout(PATIENCE_S):
            await hearing
            return await process.ended()

    async def _hear(self, process: Forked) -> None:
        async for text in await process.reader():
            try:
                line = json.loads(text)
            except ValueError:
                line = {"time": "", "message": text.decode()}
            async with self._news:
                self.said.append(line)
                self._news.notify_all()
        await process.ended()
        async with self._news:
            self._news.notify_all()


@dataclass(slots=True)
class Node:
    """A node of the dev chain's farm with its daemon, and hands on all that surrounds it."""

    daemon: Program
    follower: Program
    chain: DevChain
    redis: RedisServer
    admin: Line
    reader: SubstrateChain
    blocks: SubstrateBlocks
    farmer: SubstratePowerTargets
    directory: Path
    zos: Neighbourhood | None = None
    """In the profile of that name."""

    def when_ordered_off(self, script: str) -> None:
        """From now on the power-off command is this shell script; each order is written down before it."""
        (self.directory / "power-off.sh").write_text(f'echo "$1" >> {self.directory}/orders\n{script}\n')

    def boots(self) -> None:
        """The machine is another boot from now on; its daemon is the test's to end and to start."""
        boot_stand_in(self.directory / "machine")

    @property
    def orders(self) -> list[str]:
        """The orders till now: ``orderly`` and ``forced`` are power-offs, ``reboot`` and ``forced-reboot`` no."""
        written = self.directory / "orders"
        return written.read_text().split() if written.exists() else []

    @contextmanager
    def endpoint(self, number: int) -> Iterator[Line]:
        """A line to another of the dev chain's endpoints, to afflict that one."""
        with line(self.chain.urls[number]) as other:
            yield other

    async def blocks_pass(self, count: int) -> None:
        """Wait for so many new heads."""
        head = await self.blocks.next_head(None)
        for _ in range(count):
            head = await self.blocks.next_head(head)

    async def target(self, target: Power, node: NodeId = ME) -> None:
        """The farmer sets it, and the node's event stream hears of it as if a follower ran."""
        await self.set_target(target, node)
        await self.event(node, target)

    async def set_target(self, target: Power, node: NodeId = ME) -> None:
        """Only on chain."""
        await _patiently(lambda: self.farmer.set_power_target(node, target))

    async def peer_says(self, power: Power) -> None:
        """Node 2 reports its state, as its own daemon would."""
        client = SubstrateClient([self.chain.urls[-1]])
        chain = SubstrateChain(client, seed=self.chain.node_seeds[1])
        try:
            await _patiently(lambda: chain.set_power_state(power))
        finally:
            await client.close()

    async def event(self, node: NodeId, target: Power) -> None:
        """Only the event, whatever the chain says."""
        out = RedisPowerEventsOut(self.redis.url())
        try:
            await out.publish([PowerTargetChanged(FarmId(self.chain.about["farm_id"]), node, target)])
        finally:
            await out.close()

    async def until_state(self, state: Power, node: NodeId = ME, kind: HeadKind = HeadKind.BEST) -> None:
        """Wait until the chain says so: it is asked anew with every head."""
        head = None
        async with asyncio.timeout(PATIENCE_S):
            while await self.state(node, kind) is not state:
                head = await self.blocks.next_head(head)

    async def state(self, node: NodeId = ME, kind: HeadKind = HeadKind.BEST) -> Power | None:
        """What the chain says of the node now."""
        reading = await self.reader.powers([node], kind)
        power = reading.powers[node]
        return power.state.power if isinstance(power, NodePower) else None

    def extrinsics(self, node: NodeId = ME) -> int:
        """How many extrinsics of the node the chain and its pool have: its account's next nonce."""
        address = next(each["address"] for each in self.chain.about["nodes"] if each["id"] == node)
        return int(self.admin.ask("system_accountNextIndex", address))


@asynccontextmanager
async def node_rig(
    *options: str,
    urls: Sequence[str] | None = None,
    settings: Settings | None = None,
    nodes: int = 2,
    block_time_s: float = 0.25,
    finality_lag: int = 2,
    profile: str = "systemd",
    zinit: str = "v0.2.14",
    start_neighbours: bool = True,
) -> AsyncIterator[Node]:
    """All but the daemon runs; ``options`` are the dev chain's, ``settings`` go over those of `PACE`.

    The test itself speaks to the dev chain's last endpoint, and so does ``admin``; the daemon is
    given all of them, or ``urls`` (in which ``{0}`` stands for the first endpoint, and so on).
    """
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="powerd-")))
        chain = stack.enter_context(
            dev_chain(*options, nodes=nodes, block_time_s=block_time_s, finality_lag=finality_lag)
        )
        redis = server_in(directory / "redis", persistent=True)
        await asyncio.to_thread(redis.start)
        stack.callback(redis.stop)
        client = SubstrateClient([chain.urls[-1]])
        stack.push_async_callback(client.close)
        endpoints = chain.urls if urls is None else [url.format(*chain.urls) for url in urls]
        config = directory / "powerd.toml"
        own = _settings(chain, redis, directory, endpoints)
        if profile == "zos":
            own |= _zos(directory, zinit)
        config.write_text(toml(_merged(PACE, own, settings or {})))
        command = [program("powerd"), "--profile", profile, "--config", str(config)]
        node = Node(
            Program(command),
            Program([*command, "events"]),
            chain,
            redis,
            stack.enter_context(line(chain.urls[-1])),
            SubstrateChain(client),
            SubstrateBlocks(client),
            SubstratePowerTargets(client, seed=chain.farmer_seed, key_type="sr25519"),
            directory,
        )
        node.when_ordered_off("")
        node.boots()
        if profile == "zos":
            me, farm = _me(chain), chain.about["farm_id"]
            around = neighbourhood(directory, redis.url(), me, farm, endpoints[0], zinit=zinit)
            node.zos = await stack.enter_async_context(around)
            if start_neighbours:
                await node.zos.start()
        for each in (node.daemon, node.follower):
            stack.push_async_callback(each.end_if_running)
        yield node


async def _patiently(submit: Callable[[], Awaitable[object]]) -> None:
    """A fork, an upgrade, or 16 blocks that pass on a busy machine invalidate what was signed: then once more."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(RetryableError):
                await submit()
                return


def _settings(
    chain: DevChain, redis: RedisServer, directory: Path, urls: Sequence[str]
) -> dict[str, Mapping[str, object]]:
    me = _me(chain)
    script = ["sh", str(directory / "power-off.sh")]
    return {
        "broker": {"url": redis.url()},
        "chain": {"urls": list(urls)},
        "identity": {"key_file": me["key_file"], "key_type": "ed25519"},
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
    }


def _zos(directory: Path, zinit: str) -> dict[str, Mapping[str, object]]:
    """Nothing is asked but the neighbours; only the paces are shorter, and zinit's version is told by echo."""
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


def _me(chain: DevChain) -> Mapping[str, Any]:
    me: Mapping[str, Any] = next(each for each in chain.about["nodes"] if each["id"] == ME)
    return me


def _merged(*layers: Settings) -> Settings:
    """Later ones go over earlier ones, key by key."""
    merged: dict[str, dict[str, object]] = {}
    for layer in layers:
        for section, keys in layer.items():
            merged.setdefault(section, {}).update(keys)
    return merged


def _matches(line: Said, happening: str, facts: Mapping[str, object]) -> bool:
    told = line.get("facts", {})
    return line.get("happening", line.get("message")) == happening and all(
        value in told.get(name, "") if isinstance(value, str) else told.get(name) == value
        for name, value in facts.items()
    )
