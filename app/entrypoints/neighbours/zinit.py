"""A stand-in for zinit: answers on its socket as the named version would, then runs a command.

``python -m app.entrypoints.neighbours.zinit --socket PATH --version v0.2.11 --on-shutdown COMMAND``
prints ``ready`` once it listens, and then each request. It can also be made to misbehave. With ``-V``
it prints its version.
"""

from __future__ import annotations

import asyncio
import enum
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import click

from app.adapters.zinit.version import UnreadableVersion, Version, parse_version

JSON_RPC_SINCE = Version(0, 2, 15)
ORDERS = ("shutdown", "reboot")
SERVICES = {"powerd": "Running"}
"""The answer to the question for the list of services."""

Act = Callable[[str], Awaitable[None]]
"""Carries out ``shutdown`` or ``reboot``."""

Log = Callable[[str], None]
"""Called with each request after it was read: ``order: shutdown``, ``question: list``."""


class Reply(enum.Enum):
    """How a request is answered."""

    OK = "ok"
    """Accept it, and carry it out after the answer."""
    ERROR = "error"
    GARBAGE = "garbage"
    NOTHING = "nothing"
    """Read it, and close the connection without an answer."""
    HANG = "hang"
    """Read it, and never answer."""
    MUTE = "mute"
    """Answer a question; read an order, and neither answer it nor carry it out."""
    AFTERWARDS = "afterwards"
    """Accept it, carry it out, and then answer, as zinit does from 0.2.16 on."""
    CLOSE = "close"
    """Close the connection before anything is read."""


class ZinitStandIn:
    """The stand-in, which listens while `serving`. ``reply`` can be switched at any time."""

    def __init__(self, socket: Path, version: str, act: Act, log: Log = lambda _: None) -> None:
        parsed = parse_version(f"zinit {version}")
        self._socket = socket
        self._answers = _line_answer if parsed < JSON_RPC_SINCE else _json_rpc_answer
        self._separator = "." if parsed == JSON_RPC_SINCE else "_"
        self._act = act
        self._log = log
        self.reply = Reply.OK
        self.requests: list[bytes] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen while the body runs, then close every connection."""
        talks: set[asyncio.Task[None]] = set()

        def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._serve_connection(reader, writer))
            talks.add(task)
            task.add_done_callback(talks.discard)

        server = await asyncio.start_unix_server(talk, self._socket)
        try:
            yield
        finally:
            server.close()
            for task in talks:
                task.cancel()
            await asyncio.gather(*talks, return_exceptions=True)
            self._socket.unlink(missing_ok=True)

    async def _serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = b"" if self.reply is Reply.CLOSE else await reader.readline()
            if not request:
                return
            self.requests.append(request)
            answer, order = self._answers(request, self.reply, self._separator)
            self._log(f"order: {order}" if order else f"question: {request.decode(errors='replace').strip()}")
            if order and self.reply is Reply.AFTERWARDS:
                await self._act(order)
            match self.reply:
                case Reply.NOTHING:
                    return
                case Reply.HANG:
                    await reader.read()
                case Reply.MUTE if order:
                    await reader.read()
                case Reply.GARBAGE:
                    writer.write(b"Segmentation fault\n")
                case _:
                    writer.write(json.dumps(answer).encode())
            if self._answers is _line_answer:
                writer.close()
            if order and self.reply is Reply.OK:
                await self._act(order)
            if self._answers is _json_rpc_answer:
                await reader.read()  # the connection is the client's to close
        finally:
            writer.close()


def _line_answer(request: bytes, reply: Reply, _: str) -> tuple[object, str]:
    order = request.decode().strip()
    if order == "list":
        return {"state": "ok", "body": SERVICES}, ""
    if reply is Reply.ERROR or order not in ORDERS:
        return {
            "state": "error",
            "body": "the stand-in refuses on request" if order in ORDERS else "unknown command",
        }, ""
    return {"state": "ok", "body": None}, order


def _json_rpc_answer(request: bytes, reply: Reply, separator: str) -> tuple[object, str]:
    try:
        call = json.loads(request)
    except ValueError:
        return {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "Parse error"}}, ""
    answer = {"jsonrpc": "2.0", "id": call["id"]}
    if call["method"] == f"service{separator}list":
        return {**answer, "result": SERVICES}, ""
    order = call["method"].removeprefix(f"system{separator}")
    if order not in ORDERS:
        return {**answer, "error": {"code": -32601, "message": "Method not found"}}, ""
    if reply is Reply.ERROR:
        return {**answer, "error": {"code": -32603, "message": "the stand-in refuses on request"}}, ""
    return {**answer, "result": None}, order


def _commands(on_shutdown: str, on_reboot: str) -> Act:
    async def act(order: str) -> None:
        command = on_shutdown if order == "shutdown" else on_reboot
        process = await asyncio.create_subprocess_exec("/bin/sh", "-c", command)
        await process.wait()

    return act


@click.command()
@click.option("-V", "show_version", is_flag=True, help="Print the version as zinit does, and end.")
@click.option("--version", default="v0.2.11", show_default=True, help="The version whose protocol it speaks.")
@click.option("--socket", type=click.Path(path_type=Path), default="/var/run/zinit.sock", help="Where it listens.")
@click.option("--on-shutdown", metavar="COMMAND", default="true", help="For sh, run after an accepted shutdown.")
@click.option("--on-reboot", metavar="COMMAND", default="true", help="For sh, run after an accepted reboot.")
@click.option("--answer", type=click.Choice([reply.value for reply in Reply]), default="ok", help="How it behaves.")
def main(*, show_version: bool, version: str, socket: Path, on_shutdown: str, on_reboot: str, answer: str) -> None:
    """Stand in for zinit until SIGTERM or SIGINT."""
    if show_version:
        click.echo(f"zinit {version}")
        return
    try:
        zinit = ZinitStandIn(socket, version, _commands(on_shutdown, on_reboot), _print)
    except UnreadableVersion as error:
        raise click.BadParameter(str(error), param_hint="--version") from None
    zinit.reply = Reply(answer)
    asyncio.run(_serve(zinit))


def _print(line: str) -> None:
    print(line, flush=True)


async def _serve(zinit: ZinitStandIn) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with zinit.serving():
        _print("ready")
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main())
