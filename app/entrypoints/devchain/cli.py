"""``powerd-devchain``: a small Substrate chain with tfchain's power pallet, for trying and testing."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import click

from app.adapters.simulated.ledger import Ledger
from app.entrypoints.devchain.farms import DevFarm, set_up_farm, write_keys
from app.entrypoints.devchain.node import DevNode
from app.entrypoints.devchain.server import serving


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=9944, show_default=True, help="0: a free one.")
@click.option(
    "--block-time-s",
    type=click.FloatRange(0),
    default=6.0,
    show_default=True,
    help="Seconds between blocks. 0: a block per extrinsic, final at once.",
)
@click.option(
    "--finality-lag", type=click.IntRange(0), default=3, show_default=True, help="Blocks by which finality lags."
)
@click.option("--nodes", type=click.IntRange(0, 10_000), default=3, show_default=True, help="Nodes of the farm.")
@click.option("--keys", type=click.Path(path_type=Path, file_okay=False), help="Directory for keys and farm.json.")
@click.option("--seed", default="powerd", show_default=True, help="Keys are derived from this text. Not for money.")
def main(
    host: str, port: int, block_time_s: float, finality_lag: int, nodes: int, keys: Path | None, seed: str
) -> None:
    """Run a dev chain with a farm on it, until SIGTERM or SIGINT."""
    ledger = Ledger(time.time(), block_time_s=block_time_s, finality_lag=finality_lag)
    farm = set_up_farm(ledger, nodes, seed)
    try:
        asyncio.run(_serve(DevNode(ledger), farm, host, port, keys))
    except OSError as error:
        raise click.ClickException(f"can't listen on {host}:{port}: {error.strerror}; choose another --port") from error


async def _serve(node: DevNode, farm: DevFarm, host: str, port: int, keys: Path | None) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with serving(node, host, port) as url:
        if keys is not None:
            write_keys(farm, keys, url)
        ids = f"nodes {farm.node_ids[0]} to {farm.node_ids[-1]}" if farm.node_ids else "no nodes"
        click.echo(f"dev chain at {url}: farm {farm.id}, {ids}{f', keys in {keys}' if keys else ''}")
        await stopped.wait()
