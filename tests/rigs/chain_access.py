"""The chain that tests talk to over WebSocket: a dev chain in a process of its own, or yours.

``POWERD_TEST_CHAIN_URL`` names another one (a tfchain node, say), on which the farmer of the key file
``POWERD_TEST_FARMER_KEY`` (sr25519) has a farm with the nodes of ``POWERD_TEST_NODE_KEYS`` (ed25519;
two or more key files, separated by commas). A key file holds the seed in hex. The tests change power
targets and states of those nodes, and pay fees from those accounts.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rigs import forked_program as forked
from tests.slowness import patient

NODES = 4


@dataclass(frozen=True)
class ChainAccess:
    """Where the chain is, and the keys of those who act on it."""

    url: str
    farmer_seed: bytes
    node_seeds: Sequence[bytes]


def external() -> bool:
    """Whether the tests were pointed at a chain that is not ours."""
    return bool(os.environ.get("POWERD_TEST_CHAIN_URL"))


ON_THE_CHAIN = [pytest.mark.xdist_group("the chain of POWERD_TEST_CHAIN_URL")] if external() else []
"""For tests that use `chain_access`: they sign with the same keys there, so one worker runs them all."""


@contextlib.contextmanager
def chain_access() -> Iterator[ChainAccess]:
    """The chain of the environment, else a dev chain that makes a block per extrinsic."""
    if external():
        environment = os.environ
        node_keys = environment["POWERD_TEST_NODE_KEYS"].split(",")
        yield ChainAccess(
            environment["POWERD_TEST_CHAIN_URL"],
            _seed(environment["POWERD_TEST_FARMER_KEY"]),
            [_seed(path.strip()) for path in node_keys],
        )
        return
    with own_chain() as access:
        yield access


@contextlib.contextmanager
def own_chain() -> Iterator[ChainAccess]:
    """A dev chain that makes a block per extrinsic, each of them final at once, wherever the tests were pointed."""
    with tempfile.TemporaryDirectory() as directory, dev_chain(Path(directory)) as access:
        yield access


@contextlib.contextmanager
def dev_chain(directory: Path, *options: str) -> Iterator[ChainAccess]:
    """A dev chain with its keys in ``directory``; ``options`` are those of its command line."""
    arguments = ["--block-time-s", "0", "--port", "0", "--nodes", str(NODES), "--keys", str(directory), *options]
    process = forked.start(forked.DEVCHAIN, *arguments)
    stdout = forked.lines_of(process)
    try:
        assert stdout.readline().startswith("dev chain at "), "the dev chain did not start"
        farm = json.loads((directory / "farm.json").read_text())
        yield ChainAccess(
            farm["url"], _seed(farm["farmer"]["key_file"]), [_seed(node["key_file"]) for node in farm["nodes"]]
        )
    finally:
        process.terminate()
        stdout.close()
        process.wait(timeout=patient(30))


def _seed(path: str) -> bytes:
    text = Path(path).read_text().strip().removeprefix("0x")
    # Go keeps an ed25519 private key as seed and public key.
    return bytes.fromhex(text)[:32]
