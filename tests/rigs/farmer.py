"""A farmer at the command line, with a farm on a dev chain."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from click.testing import CliRunner, Result

from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.client import SubstrateClient
from app.domain.model import Power
from app.entrypoints.powerd.cli import main
from tests.rigs.chain.as_process import DevChain, dev_chain
from tests.rigs.dev_rpc import line
from tests.rigs.program_runs import run


class Farm:
    """A farm on its own dev chain, its farmer at the command line, and its nodes' access to the chain."""

    def __init__(self, chain: DevChain) -> None:
        self.chain = chain
        self.environment = {
            "POWERD_CHAIN_URLS": chain.url,
            "POWERD_FARMER_KEY_FILE": chain.about["farmer"]["key_file"],
        }

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return run("farm", *arguments, **{**self.environment, **environment})

    def sets(self, target: str, *nodes: int) -> None:
        """Set targets as the farmer, ``up`` or ``down``; in this process, which is faster than `run`."""
        done = here(target, *map(str, nodes), **self.environment)
        assert done.exit_code == 0, done.output

    def ask(self, method: str, *params: object) -> Any:
        """Ask the chain's RPC; a method ``dev_…`` switches a fault."""
        with line(self.chain.url) as admin:
            return admin.ask(method, *params)

    @property
    def paid(self) -> int:
        """The number of extrinsics that the farmer has sent."""
        return int(self.ask("system_accountNextIndex", self.chain.about["farmer"]["address"]))

    def says(self, node: int, power: Power) -> None:
        """Set the state as the node itself."""

        async def say() -> None:
            client = SubstrateClient([self.chain.url])
            try:
                await SubstrateChain(client, seed=self.chain.node_seeds[node - 1]).set_power_state(power)
            finally:
                await client.close()

        asyncio.run(say())

    def targets(self) -> dict[int, str]:
        return {each["node"]: each["target"] for each in self.listed()["nodes"]}

    def listed(self) -> dict[str, Any]:
        answer = self.run("list", "--json")
        assert answer.returncode == 0, answer.stderr
        listed: dict[str, Any] = json.loads(answer.stdout)
        return listed


@contextmanager
def farm_of(nodes: int, block_time_s: float = 0) -> Iterator[Farm]:
    with dev_chain(nodes=nodes, block_time_s=block_time_s) as chain:
        yield Farm(chain)


def here(*arguments: str, stdin: str = "", **environment: str) -> Result:
    """Run ``powerd farm …`` in this process: another process would show the same, and take a second."""
    done = CliRunner().invoke(main, ["farm", *arguments], input=stdin, env=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done
