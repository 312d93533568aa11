"""``powerd-devchain``: a small Substrate chain with tfchain's power pallet, for trials and tests."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import click

from app.adapters.simulated.ledger import Ledger
from app.entrypoints.devchain.admin import REASONS
from app.entrypoints.devchain.endpoint import Endpoint
from app.entrypoints.devchain.farms import DevFarm, set_up_farm, write_keys
from app.entrypoints.devchain.node import DevNode
from app.entrypoints.devchain.recurring_faults import RecurringFaults, recurring
from app.entrypoints.devchain.server import listening, making_blocks
from app.entrypoints.terminal.ranges import FiniteRange, WholeRange
from app.entrypoints.terminal.standard_streams import StreamsMixin

FAULTS: Sequence[Callable[[Any], Any]] = (
    click.option("--hold-finality", is_flag=True, help="Finality stands still."),
    click.option("--refuse-extrinsics", type=click.Choice(REASONS), help="Refuse them all, for this reason."),
    click.option("--lose-extrinsics", type=WholeRange(0), default=0, help="Take this number, and forget them."),
    click.option("--lag-blocks", type=WholeRange(0), default=0, help="The first endpoint is behind the others."),
    click.option("--delay-s", type=FiniteRange(0, 3600), default=0.0, help="Each of its answers takes this long."),
    click.option("--clock-offset-s", type=FiniteRange(-86400, 86400), default=0.0, help="Its clock is wrong."),
    click.option("--silent-after-s", type=FiniteRange(0), default=0.0, help="After this time it hangs. 0: never."),
    click.option("--drop-connections-every-s", type=FiniteRange(0), default=0.0, help="Connections to it. 0: never."),
    click.option("--reorganise-every-blocks", type=WholeRange(0), default=0, help="0: never."),
    click.option("--reorganise-depth", type=WholeRange(1), default=1, show_default=True, help="Blocks undone."),
    click.option("--upgrade-every-blocks", type=WholeRange(0), default=0, help="A new runtime. 0: never."),
)


def _with_faults(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(FAULTS):
        command = option(command)
    return command


@click.command(cls=StreamsMixin, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=WholeRange(0, 65535), default=9944, show_default=True, help="0: a free one.")
@click.option(
    "--endpoints",
    type=WholeRange(1, 16),
    default=1,
    show_default=True,
    help="The number of chain nodes to play, at this port and the next ones.",
)
@click.option(
    "--block-time-s",
    type=FiniteRange(0),
    default=6.0,
    show_default=True,
    help="Seconds between blocks. 0: a block per extrinsic, final at once.",
)
@click.option("--finality-lag", type=WholeRange(0), default=3, show_default=True, help="Blocks by which finality lags.")
@click.option("--nodes", type=WholeRange(0, 10_000), default=3, show_default=True, help="Nodes of the farm.")
@click.option("--keys", type=click.Path(path_type=Path, file_okay=False), help="Directory for keys and farm.json.")
@click.option("--seed", default="powerd", show_default=True, help="Keys and genesis follow from this text.")
@_with_faults
def main(
    host: str,
    port: int,
    endpoints: int,
    block_time_s: float,
    finality_lag: int,
    nodes: int,
    keys: Path | None,
    seed: str,
    **faults: Any,
) -> None:
    """Run a dev chain with a farm on it, until SIGTERM or SIGINT.

    It can fail on request, so that you can rehearse what goes wrong: by the options below from the
    start, and by the RPC methods dev_… at any time (docs/devchain.md).
    """
    if port and port + endpoints - 1 > 65535:
        raise click.BadParameter(f"there are no {endpoints} ports from {port} on", param_hint="--endpoints")
    start_s = time.time() + float(faults["clock_offset_s"])
    ledger = Ledger(start_s, name=seed, block_time_s=block_time_s, finality_lag=finality_lag)
    farm = set_up_farm(ledger, nodes, seed)
    node = DevNode(ledger)
    windows = [Endpoint(node) for _ in range(endpoints)]
    recurring_faults = _apply_faults(windows[0], **faults)
    try:
        asyncio.run(_serve(node, windows, recurring_faults, farm, host, port, keys))
    except OSError as error:
        raise click.ClickException(f"can't listen on {host}:{port}: {error.strerror}; choose another --port") from error


def _apply_faults(
    first: Endpoint,
    *,
    hold_finality: bool,
    refuse_extrinsics: str | None,
    lose_extrinsics: int,
    lag_blocks: int,
    delay_s: float,
    clock_offset_s: float,
    upgrade_every_blocks: int,
    **others: Any,
) -> RecurringFaults:
    ledger = first.node.ledger
    ledger.hold_finality = hold_finality
    ledger.refuse_next, ledger.refuse_count = refuse_extrinsics or "", 1_000_000_000
    ledger.lose_next = lose_extrinsics
    first.lag_blocks, first.delay_s = lag_blocks, delay_s
    first.node.clock_offset_s = clock_offset_s
    return RecurringFaults(upgrade_every_blocks=upgrade_every_blocks, **others)


async def _serve(
    node: DevNode,
    endpoints: Sequence[Endpoint],
    recurring_faults: RecurringFaults,
    farm: DevFarm,
    host: str,
    port: int,
    keys: Path | None,
) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        urls = [
            await stack.enter_async_context(listening(endpoint, host, port + index if port else 0))
            for index, endpoint in enumerate(endpoints)
        ]
        await stack.enter_async_context(making_blocks(node))
        await stack.enter_async_context(recurring(node, endpoints, recurring_faults))
        if keys is not None:
            write_keys(farm, keys, urls)
        ids = f"nodes {farm.node_ids[0]} to {farm.node_ids[-1]}" if farm.node_ids else "no nodes"
        where = f", keys in {keys}" if keys else ""
        click.echo(f"dev chain at {', '.join(urls)}: farm {farm.id}, {ids}{where}")
        await stopped.wait()
