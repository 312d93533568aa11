"""``powerd demo``: builds the farm, runs the scenario, and shows at the end what the chain says."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click

from app.adapters.files.key_file import read_seed
from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.power_targets import SubstratePowerTargets
from app.entrypoints.demo.farm_on_loopback import Farm, farm_on_loopback
from app.entrypoints.demo.installation import program
from app.entrypoints.demo.own_environment import forget_settings
from app.entrypoints.demo.reaper import start_reaper
from app.entrypoints.demo.scenario import Scenario
from app.entrypoints.demo.summary import summary


def run_demo(*, redis_url: str | None, nodes: int, keep: bool, profile: str) -> int:
    """The exit code: 0 only if every promise held."""
    if forgotten := forget_settings():
        click.echo(f"not used in the demo, though set in the environment: {', '.join(forgotten)}")
    directory = Path(tempfile.mkdtemp(prefix="powerd-demo-"))
    start_reaper(directory, remove=False)
    code = asyncio.run(_demo(directory, redis_url, nodes, profile, keep=keep))
    if code:
        click.echo(f"the logs are kept in {directory}")
    else:
        shutil.rmtree(directory)
    return code


async def _demo(directory: Path, redis_url: str | None, nodes: int, profile: str, *, keep: bool) -> int:
    began = time.monotonic()

    def say(line: str) -> None:
        click.echo(f"[{time.monotonic() - began:6.2f} s] {line}")

    say("starting a chain, a Redis server and a farm on this machine: everything is real but the machines")
    if profile == "zos":
        say("each node runs Zero-OS, with stand-ins for its registrar, identityd, api-gateway, zui and zinit")
    async with farm_on_loopback(directory, nodes, redis_url, profile) as farm:
        client = SubstrateClient([farm.chain_url])
        try:
            seed = read_seed(farm.farmer_key)
            targets = SubstratePowerTargets(client, seed=seed, key_type="sr25519")
            chain = SubstrateChain(client)
            say(f"dev chain at {farm.chain_url}; logs in {directory}")
            scenario = Scenario(farm, chain, targets, say)
            await scenario.run()
            say("what the chain says:")
            for line in await summary(chain, farm):
                click.echo(f"    {line}")
            _judge(scenario)
            if keep:
                await _keep(farm)
        finally:
            await client.close()
    return 1 if scenario.broken else 0


def _judge(scenario: Scenario) -> None:
    if scenario.broken:
        click.echo(f"{len(scenario.broken)} promises were broken or could not be shown:")
        for line in scenario.broken:
            click.echo(f"    {line}")
    else:
        click.echo("every promise held")


async def _keep(farm: Farm) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    click.echo("everything goes on running until Ctrl-C; in another terminal try:")
    for command in to_try(farm):
        click.echo(f"    {command}")
    await stopped.wait()


def to_try(farm: Farm) -> Sequence[str]:
    """Commands for a shell: first the farmer's, then those on a node that the farmer puts to sleep and wakes."""
    node = max(farm.machines)
    farmer = f"{program('powerd')} farm --chain {farm.chain_url} --key {farm.farmer_key}"
    on_node = shlex.join(farm.machines[node].daemons[0].command)
    return (
        f"{farmer} list",
        f"{farmer} watch",
        f"{farmer} down {node} --wait",
        f"{farmer} up {node} --wait",
        f"{on_node} status",
        f'{on_node} hold add me --reason "a try" --for 10m',
        f"{on_node} check",
        f"tail -f {farm.directory}/node-{min(farm.machines)}-powerd.log",
    )
