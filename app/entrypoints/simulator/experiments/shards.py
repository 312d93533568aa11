"""A sweep in parts: each process runs every n-th run by itself, as batch arrays and CI jobs do, without an engine."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.entrypoints.simulator.plan.bad_input import BadInput

SHARDS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Shard:
    """``number`` of ``of``, counted from 1."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def has(self, place: int) -> bool:
        """Whether the run at this place of the sweep (counted from 0) belongs to it."""
        return place % self.of == self.number - 1


WHOLE = Shard(1, 1)


def shard_of(text: str) -> Shard:
    """``3/8``: the third of eight."""
    found = re.fullmatch(r"\s*(\d{1,5})\s*/\s*(\d{1,5})\s*", text)
    if not found:
        raise BadInput(f"--shard {text!r} is not a part of a sweep; write K/N, such as 3/8 for the third of eight")
    shard = Shard(int(found[1]), int(found[2]))
    if not 1 <= shard.number <= shard.of <= SHARDS_MAX:
        raise BadInput(
            f"--shard {text!r}: shards are numbered from 1 to N, and N is at most {SHARDS_MAX:,}; write 1/8 to 8/8"
        )
    return shard
