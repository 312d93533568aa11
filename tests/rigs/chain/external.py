"""The chain that you name, on which the tests that can run anywhere are run; else a dev chain.

``POWERD_TEST_CHAIN_URL`` names it (a tfchain node, say). There the farmer of the key file
``POWERD_TEST_FARMER_KEY`` (sr25519) has a farm with the nodes of ``POWERD_TEST_NODE_KEYS`` (ed25519;
two or more key files, separated by commas). A key file holds the seed in hex. The tests change power
targets and states of those nodes, and pay fees from those accounts.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest

from tests.rigs.chain.as_process import Chain, dev_chain, seed_in


def external() -> bool:
    """Whether the tests were pointed at a chain that is not ours."""
    return bool(os.environ.get("POWERD_TEST_CHAIN_URL"))


ON_THE_CHAIN = [pytest.mark.xdist_group("the chain of POWERD_TEST_CHAIN_URL")] if external() else []
"""For tests that use `external_chain`: they sign with the same keys there, so one worker runs them all."""


@contextlib.contextmanager
def external_chain() -> Iterator[Chain]:
    """The chain of the environment, else a dev chain that makes a block per extrinsic."""
    if external():
        environment = os.environ
        node_keys = environment["POWERD_TEST_NODE_KEYS"].split(",")
        yield Chain(
            environment["POWERD_TEST_CHAIN_URL"],
            seed_in(environment["POWERD_TEST_FARMER_KEY"]),
            tuple(seed_in(path.strip()) for path in node_keys),
        )
        return
    with dev_chain(nodes=4) as chain:
        yield chain
