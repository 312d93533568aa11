"""``powerd status`` for a node under test, as its operator runs it."""

from __future__ import annotations

import asyncio

from app.entrypoints.demo.installation import program
from tests.rigs.node import Node


async def status(node: Node, *options: str) -> str:
    """What the command prints, errors included."""
    process = await asyncio.create_subprocess_exec(
        *(program("powerd"), "--config", str(node.directory / "powerd.toml"), "status", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return out.decode()
