"""Splits a batch into parts (`itertools.batched` needs Python 3.12)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def parts_of(items: Iterable[Item], at_once: int | None) -> Sequence[Sequence[Item]]:
    """Parts of at most ``at_once`` items, in order; one part where that is None. Without items there is no part."""
    batch = list(items)
    size = at_once or len(batch) or 1
    return [batch[start : start + size] for start in range(0, len(batch), size)]
