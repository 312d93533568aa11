"""A dev chain of its own process, for tests that speak to it over WebSocket."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rigs import forked_program as forked
from tests.rigs.forked_program import Forked
from tests.slowness import patient


@dataclass(frozen=True, slots=True)
class Chain:
    """Where it is, and the keys of a farm on it."""

    url: str
    farmer_seed: bytes
    node_seeds: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class DevChain(Chain):
    """One of ours: all its endpoints, and what it says about its farm 1."""

    urls: tuple[str, ...]
    about: dict[str, Any]
    process: Forked


@contextmanager
def dev_chain(*options: str, nodes: int = 3, block_time_s: float = 0, finality_lag: int = 3) -> Iterator[DevChain]:
    """Run ``powerd-devchain`` while the body runs."""
    with tempfile.TemporaryDirectory(prefix="powerd-") as directory:
        keys = Path(directory) / "keys"
        process = forked.start(
            *(forked.DEVCHAIN, "--port", "0", "--nodes", str(nodes), "--keys", str(keys)),
            *("--block-time-s", str(block_time_s), "--finality-lag", str(finality_lag)),
            *options,
        )
        stdout = forked.lines_of(process)
        try:
            assert "dev chain at" in stdout.readline()
            about = json.loads((keys / "farm.json").read_text())
            seeds = tuple(seed_in(node["key_file"]) for node in about["nodes"])
            farmer = seed_in(about["farmer"]["key_file"])
            yield DevChain(about["url"], farmer, seeds, tuple(about["urls"]), about, process)
        finally:
            process.terminate()
            stdout.close()
            assert process.wait(timeout=patient(30)) == 0, "the dev chain ends in order"


def seed_in(path: str) -> bytes:
    """The seed that a key file holds in hex; Go keeps an ed25519 private key as seed and public key."""
    return bytes.fromhex(Path(path).read_text().strip().removeprefix("0x"))[:32]
