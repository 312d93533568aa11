"""The trigger of a loop: what pulls it, and what ends a wait without a pull."""

from __future__ import annotations

import asyncio

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.domain.services.context.trigger import Trigger

pytestmark = pytest.mark.anyio


async def test_a_wait_without_a_pull_ends_in_time_and_has_no_reason(clock: VirtualClock) -> None:
    assert await Trigger(clock).wait(60) == ""
    assert clock.monotonic() == 60


async def test_a_wait_without_a_limit_ends_by_a_pull_alone(clock: VirtualClock) -> None:
    trigger = Trigger(clock)
    clock.call_later(1e6, lambda: trigger.pull("at last"))
    assert await trigger.wait(None) == "at last"
    assert clock.monotonic() == 1e6


async def test_a_pull_ends_the_wait_and_the_first_reason_is_kept(clock: VirtualClock) -> None:
    trigger = Trigger(clock)
    clock.call_later(5, lambda: trigger.pull("first"))
    clock.call_later(5, lambda: trigger.pull("second"))
    assert await trigger.wait(60) == "first"
    assert clock.monotonic() == 5
    assert await trigger.wait(60) == "", "one pull, one look"


async def test_a_pull_while_no_task_waits_is_kept_for_the_next_wait(clock: VirtualClock) -> None:
    trigger = Trigger(clock)
    trigger.pull("earlier")
    assert await trigger.wait(60) == "earlier"
    assert clock.monotonic() == 0


async def test_a_pull_at_the_moment_when_the_wait_ends_is_not_lost(clock: VirtualClock) -> None:
    trigger = Trigger(clock)
    waiting = asyncio.ensure_future(trigger.wait(60))
    await asyncio.sleep(0)
    clock.call_later(60, lambda: trigger.pull("just in time"))
    assert await waiting == "just in time"


async def test_a_wait_that_is_cancelled_leaves_the_trigger_as_it_was(clock: VirtualClock) -> None:
    trigger = Trigger(clock)
    waiting = asyncio.ensure_future(trigger.wait(60))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    trigger.pull("later")
    assert await trigger.wait(60) == "later"
