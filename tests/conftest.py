"""Fixtures every test may use."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on plain asyncio unless a module asks for virtual time."""
    return "asyncio"
