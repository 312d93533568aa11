"""Two nodes on one event stream take events from each other, and say so."""

from __future__ import annotations

import pytest

from app.domain.events import OperationFailed
from app.domain.services.events.stream_sharing import SHARED
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio


async def test_another_reader_is_a_fault_that_names_it_until_it_is_gone(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(100)
        assert SHARED not in node.fault_keys
        node.stream.readers[0] = "node 2 of farm 1"
        await farm.until(lambda: SHARED in node.fault_keys, within_s=40)
        message = node.fault(SHARED).message
        for words in ("node 2 of farm 1", "a Redis database of its own"):
            assert words in message
        del node.stream.readers[0]
        await farm.until(lambda: SHARED not in node.fault_keys, within_s=40)


async def test_a_second_daemon_of_the_same_node_is_called_that(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.stream.readers[0] = "node 1 of farm 1"
        node.stream.readers[1] = "node 2 of farm 1"
        await farm.until(lambda: SHARED in node.fault_keys, within_s=40)
        assert "a second powerd of node 1 of farm 1" in node.fault(SHARED).message
        assert "stop the one that must not run" in node.fault(SHARED).message


async def test_a_look_that_fails_is_logged_once_and_the_stream_is_read_on(farm: VirtualFarm) -> None:
    def refuse(node: VirtualNode) -> None:
        node.events.hides_readers = True

    async with farm.running(1, before=refuse) as node:
        await farm.clock.sleep(600)
        told = [each.doing for each in node.recorded(OperationFailed)]
        assert told == ["looking for other readers of the events"]
