"""The daemon (or the follower) of one node as a process, between a dev chain and a Redis that can have faults."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.adapters.linux.host_facts import boot_stand_in
from app.adapters.substrate.blocks import SubstrateBlocks
from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.power_targets import SubstratePowerTargets
from app.domain.errors import RetryableError
from app.domain.events import PowerTargetChanged
from app.domain.model import FarmId, HeadKind, NodeId, NodePower, Power
from app.entrypoints.demo.installation import program, toml
from app.entrypoints.demo.redis_server import RedisServer
from tests.rigs.chain.as_process import DevChain, dev_chain
from tests.rigs.dev_rpc import Line, line
from tests.rigs.event_stream import power_events_out
from tests.rigs.node_settings import ME, PACE, Settings, about_me, merged, node_settings, zos_settings
from tests.rigs.program import PATIENCE_S, Program
from tests.rigs.redis import server_in
from tests.rigs.zos import Neighbourhood, neighbourhood


@dataclass(slots=True)
class Node:
    """A node of the dev chain's farm with its daemon, and what the daemon talks to."""

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
    """Zero-OS' daemons, in the profile ``zos``."""

    async def started(self) -> None:
        """Start the daemon, and wait for its first uptime report."""
        await self.daemon.start()
        await self.daemon.says("UptimeReported")

    async def sleeps(self) -> None:
        """Wait for the power-off order, and take the power away."""
        await self.daemon.says("PowerOffOrdered")
        await self.daemon.kill()

    def when_ordered_off(self, script: str) -> None:
        """Replace the power-off command by this shell script, which first appends the order to ``orders``."""
        (self.directory / "power-off.sh").write_text(f'echo "$1" >> {self.directory}/orders\n{script}\n')

    def boots(self) -> None:
        """Change the boot id that the daemon sees. The test ends and starts the daemon itself."""
        boot_stand_in(self.directory / "machine")

    @property
    def orders(self) -> list[str]:
        """The orders so far: ``orderly`` and ``forced`` power-offs, ``reboot`` and ``forced-reboot``."""
        written = self.directory / "orders"
        return written.read_text().split() if written.exists() else []

    @contextmanager
    def endpoint(self, number: int) -> Iterator[Line]:
        """A connection to another endpoint of the dev chain, to switch its faults."""
        with line(self.chain.urls[number]) as other:
            yield other

    async def blocks_pass(self, count: int) -> None:
        """Wait for ``count`` new heads."""
        head = await self.blocks.next_head(None)
        for _ in range(count):
            head = await self.blocks.next_head(head)

    async def target(self, target: Power, node: NodeId = ME) -> None:
        """Set the target as the farmer, and publish the event as a follower would."""
        await self.set_target(target, node)
        await self.event(node, target)

    async def set_target(self, target: Power, node: NodeId = ME) -> None:
        """Set the target on chain as the farmer, without an event."""
        await _patiently(lambda: self.farmer.set_power_target(node, target))

    async def peer_says(self, power: Power) -> None:
        """Set the state of node 2, as its own daemon would."""
        client = SubstrateClient([self.chain.urls[-1]])
        chain = SubstrateChain(client, seed=self.chain.node_seeds[1])
        try:
            await _patiently(lambda: chain.set_power_state(power))
        finally:
            await client.close()

    async def event(self, node: NodeId, target: Power) -> None:
        """Publish the event, whatever the chain says."""
        out = power_events_out(self.redis.url())
        try:
            await out.publish([PowerTargetChanged(FarmId(self.chain.about["farm_id"]), node, target)])
        finally:
            await out.close()

    async def until_state(self, state: Power, node: NodeId = ME, kind: HeadKind = HeadKind.BEST) -> None:
        """Wait until the chain shows this state; reads it again at every head."""
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
        """The number of the node's extrinsics in chain and pool: its account's next nonce."""
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
    """Run everything except the daemon. ``options`` are the dev chain's; ``settings`` override those of `PACE`.

    The test and ``admin`` use the dev chain's last endpoint. The daemon uses all of them, or ``urls``
    (in which ``{0}`` stands for the first endpoint, and so on).
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
        own = node_settings(chain, redis, directory, endpoints)
        if profile == "zos":
            own |= zos_settings(directory, zinit)
        config.write_text(toml(merged(PACE, own, settings or {})))
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
            me, farm = about_me(chain), chain.about["farm_id"]
            around = neighbourhood(directory, redis.url(), me, farm, endpoints[0], zinit=zinit)
            node.zos = await stack.enter_async_context(around)
            if start_neighbours:
                await node.zos.start()
        for each in (node.daemon, node.follower):
            stack.push_async_callback(each.end_if_running)
        yield node


async def _patiently(submit: Callable[[], Awaitable[object]]) -> None:
    """Sign and submit again where a fork, an upgrade or a passed era invalidated the first extrinsic."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(RetryableError):
                await submit()
                return
