"""Stand-ins for Zero-OS' daemons, each a process: ``python -m app.entrypoints.neighbours registrar --broker URL``.

For the demo and the tests; the objects, methods and bytes are those of the Go programs.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import click

from app.adapters.codecs.go_types import STRING, UINT32, Slice
from app.adapters.zbus import neighbours
from app.adapters.zbus.neighbours import Remote
from app.adapters.zbus.server import Served, ZbusServer
from app.domain.errors import RetryableError
from app.entrypoints.terminal.ranges import WholeRange

Methods = Mapping[str, Served]
Close = Callable[[], Awaitable[None]]


class InProgress(RetryableError):
    """registrar's error until the node is registered."""


@click.group()
def main() -> None:
    """Stand in for one of Zero-OS' daemons until SIGTERM or SIGINT. Prints ``ready`` when it serves."""


broker = click.option("--broker", required=True, metavar="URL", help="The node's Redis.")


@main.command()
@broker
@click.option("--node", type=WholeRange(), required=True)
@click.option("--twin", type=WholeRange(), required=True)
@click.option("--in-progress", type=WholeRange(), default=0, help="Number of calls that find registration in progress.")
def registrar(broker: str, node: int, twin: int, in_progress: int) -> None:
    """registrar: the ids of node and twin."""
    left = [in_progress]

    async def answer(number: int) -> int:
        if left[0] > 0:
            left[0] -= 1
            raise InProgress("registration is still in progress")
        return number

    serve(
        broker,
        neighbours.REGISTRAR,
        {
            "NodeID": Served((), UINT32, lambda: answer(node)),
            "TwinID": Served((), UINT32, lambda: answer(twin)),
        },
    )


@main.command()
@broker
@click.option("--farm", type=WholeRange(), required=True)
def identityd(broker: str, farm: int) -> None:
    """identityd: the id of the farm."""

    async def answer() -> int:
        return farm

    serve(broker, neighbours.IDENTITYD, {"FarmID": Served((), UINT32, answer)})


@main.command()
@broker
def zui(broker: str) -> None:
    """zui: prints what is pushed, one JSON object a line."""

    async def push(label: str, errors: Sequence[str]) -> None:
        print(json.dumps({"label": label, "errors": list(errors)}), flush=True)

    serve(broker, neighbours.ZUI, {"PushErrors": Served((STRING, Slice(STRING)), None, push)})


@main.command("api-gateway")
@broker
@click.option("--chain", required=True, metavar="URL", help="WebSocket endpoint.")
@click.option("--key-file", type=click.Path(path_type=Path), required=True, help="The node's key.")
@click.option(
    "--time", "how", type=click.Choice(["go", "whole", "exact"]), default="go", help="How it reports the time."
)
def api_gateway(broker: str, chain: str, key_file: Path, how: str) -> None:
    """api-gateway: the chain, one call after the other."""
    from app.adapters.files.key_file import read_seed
    from app.adapters.substrate.chain import SubstrateChain
    from app.adapters.substrate.client import SubstrateClient
    from app.entrypoints.neighbours.gateway import TIMES, Gateway

    client = SubstrateClient([chain])
    gateway = Gateway(SubstrateChain(client, seed=read_seed(key_file), key_type="ed25519"), TIMES[how])
    serve(broker, neighbours.GATEWAY, gateway.methods(), client.close)


@main.command("api-gateway-4")
@broker
def api_gateway_4(broker: str) -> None:
    """Zero-OS 4's api-gateway; prints its calls."""
    from app.entrypoints.neighbours.gateway_4 import Gateway4

    serve(broker, neighbours.GATEWAY, Gateway4().methods())


def serve(url: str, remote: Remote, methods: Methods, close: Close | None = None) -> None:
    """Serve with one worker, as the Go daemons do by default."""
    asyncio.run(_serve(url, remote, methods, close))


async def _serve(url: str, remote: Remote, methods: Methods, close: Close | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = ZbusServer(url, remote.module, {remote.object: methods}, random.random, workers=1)
    serving = asyncio.create_task(server.run(), name=remote.module)
    print("ready", flush=True)
    stopping = asyncio.create_task(stop.wait(), name="stop")
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    serving.cancel()
    await asyncio.wait([serving])
    await server.close()
    if close is not None:
        await close()
    if not serving.cancelled():
        serving.result()


if __name__ == "__main__":
    main()
