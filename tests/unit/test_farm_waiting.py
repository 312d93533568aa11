"""`powerd farm down --wait`: what the reader learns while it waits."""

from __future__ import annotations

import io
from collections.abc import Collection

import pytest

from app.domain.model import HeadKind, NodeId, NodePower, Power, PowerReading, PowerState
from app.entrypoints.farm.waiting import Awaited, wait_for_states

pytestmark = pytest.mark.anyio
UP = NodePower(PowerState(Power.UP), Power.DOWN)


class HeldNodes:
    """A chain whose nodes stay up."""

    async def powers(self, nodes: Collection[NodeId], kind: HeadKind) -> PowerReading:
        return PowerReading(None, dict.fromkeys(nodes, UP))


@pytest.mark.parametrize(("hint_after_s", "hints"), [(0.0, 1), (60.0, 0)])
async def test_a_node_that_takes_long_is_named_once_with_what_to_do(hint_after_s: float, hints: int) -> None:
    awaited = Awaited([NodeId(3)], Power.DOWN, 0.05, "`powerd status` on the node says why", hint_after_s)
    err = io.StringIO()
    late = await wait_for_states(HeldNodes(), awaited, io.StringIO(), err)  # type: ignore[arg-type]
    assert late == [3]
    said = [line for line in err.getvalue().splitlines() if "node 3; `powerd status` on the node says why" in line]
    assert len(said) == hints
