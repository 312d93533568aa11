"""A promise that was broken."""

from __future__ import annotations

from msgspec import Struct


class Violation(Struct, frozen=True, kw_only=True):
    """When (virtual seconds), by which node (0: by none alone), and how."""

    promise: str
    at_s: float
    node: int
    detail: str
