"""A farm is taken from a real chain over WebSocket, and simulated as it stands there."""

from __future__ import annotations

import asyncio
import json

from click.testing import CliRunner

from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.client import SubstrateClient
from app.domain.model import Power
from app.entrypoints.powerd.cli import main
from tests.rigs.chain.as_process import DevChain, dev_chain


async def says_down(chain: DevChain, node: int) -> None:
    client = SubstrateClient([chain.url])
    await SubstrateChain(client, seed=chain.node_seeds[node]).set_power_state(Power.DOWN)
    await client.close()


def simulate(url: str, *options: str) -> tuple[int, str]:
    arguments = ["--profile", "systemd", "simulate", "--from-chain", "--hours", "2", *options]
    done = CliRunner().invoke(main, arguments, env={"POWERD_CHAIN_URLS": url})
    return done.exit_code, done.output


def test_nodes_addresses_and_powers_are_those_of_the_chain() -> None:
    with dev_chain(nodes=3) as chain:
        asyncio.run(says_down(chain, 2))
        farm = str(chain.about["farm_id"])
        code, output = simulate(chain.url, "--farm", farm, "--json", "--policy", "always-on")
    assert code == 0, output
    (planned,) = json.loads(output)["plan"]["farms"]
    told = {node["id"]: node for node in chain.about["nodes"]}
    assert [node["id"] for node in planned["nodes"]] == sorted(told)
    assert [node["asleep"] for node in planned["nodes"]] == [False, False, True]
    assert all(node["mac"].count(":") == 5 for node in planned["nodes"])


def test_a_chain_that_does_not_answer_is_no_broken_promise() -> None:
    code, output = simulate("ws://127.0.0.1:1", "--farm", "1")
    assert code == 2
    (line,) = output.splitlines()
    assert line.startswith("powerd: ")
    assert line.endswith("; name an endpoint of the chain in POWERD_CHAIN_URLS, or in chain.urls")


def test_a_farm_that_the_chain_does_not_know() -> None:
    with dev_chain(nodes=2) as chain:
        code, output = simulate(chain.url, "--farm", "99")
    assert code == 2
    assert "knows no node of farm 99; check the farm id (--farm)" in output
