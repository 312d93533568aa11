"""The dev chain's types are those of the real chain, item by item."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.entrypoints.devchain.dev_runtime import runtime
from tests.metadata_digest import decode, digest

REAL: dict[str, str] = json.loads((Path(__file__).parents[1] / "vectors" / "tfchain_v144_digest.json").read_text())
OURS = digest(decode(bytes.fromhex(runtime(0).metadata[2:])))

NEWER = {
    "TfgridModule.error.NodeHasActiveContracts": "pallet_tfgrid of spec 149, read in its source",
}
"""Items that are newer than the metadata the digest was made of (spec 144), each with its source."""


@pytest.mark.parametrize("item", sorted(set(OURS) - set(NEWER)))
def test_an_item_is_the_real_chains(item: str) -> None:
    assert OURS[item] == REAL[item]


def test_nothing_but_what_is_newer_is_unknown_to_the_real_chain() -> None:
    assert set(OURS) - set(REAL) == set(NEWER)


def test_nothing_of_the_real_chain_that_is_used_is_left_out() -> None:
    assert set(REAL) <= set(OURS)
