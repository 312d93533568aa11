"""``powerd farm watch``: the list, live on a terminal; elsewhere a line for each change."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

from app.adapters.linux.clock import SystemClock
from app.adapters.telemetry.log import one_line
from app.domain.errors import RetryableError
from app.domain.model import FarmId, NodeId, NodePower
from app.domain.rules.farm_risk import Member
from app.entrypoints.farm.farm_choice import which_farm
from app.entrypoints.farm.listing import lines
from app.entrypoints.farm.overview import Overview, overview_of
from app.entrypoints.terminal.colour import Paint
from app.entrypoints.terminal.screen import Screen, takes_screens
from app.entrypoints.terminal.tables import width_of_terminal
from app.entrypoints.wiring.container import Container


def watch_farm(container: Container, out: TextIO, every_s: float) -> None:
    """Run until SIGINT or SIGTERM. A chain that is unreachable at the start is an error for the caller."""
    asyncio.run(_until_ended(container, out, every_s))


async def _until_ended(container: Container, out: TextIO, every_s: float) -> None:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(container.chain_client().close)
        watching = asyncio.ensure_future(_watch(container, out, every_s))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, watching.cancel)
        with suppress(asyncio.CancelledError):
            await watching


async def _watch(container: Container, out: TextIO, every_s: float) -> None:
    farm = await which_farm(container)
    first = await overview_of(container, farm)
    looks = _looks(container, farm, every_s)
    if takes_screens(out):
        await _on_screen(first, looks, out)
    else:
        await _in_lines(first, looks, out)


async def _looks(container: Container, farm: FarmId, every_s: float) -> AsyncIterator[Overview | RetryableError]:
    """A view each ``every_s``, for ever; a chain that can't be read is read again."""
    while True:
        await asyncio.sleep(every_s)
        try:
            yield await overview_of(container, farm)
        except RetryableError as error:
            yield error


# -- on a terminal ---------------------------------------------------------------------------------


async def _on_screen(first: Overview, looks: AsyncIterator[Overview | RetryableError], out: TextIO) -> None:
    screen, paint = Screen(out), Paint(out)
    shown, trouble = first, ""

    def redraw() -> None:
        width = width_of_terminal()
        view = list(lines(shown, width, paint, fold=True))
        last = f"{_clock()}  Ctrl-C ends it"
        screen.show([*view, "", paint(one_line(trouble)[:width], "red") if trouble else last[:width]])

    logging.disable(logging.ERROR)  # a log line would appear within the view
    with screen.shown(redraw):
        redraw()
        async for look in looks:
            if isinstance(look, Overview):
                shown, trouble = look, ""
            else:
                trouble = f"{_clock()}  {look}"
            redraw()


# -- in lines --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Seen:
    """The parts of a node whose change is worth a line. ``risk`` can contain figures that change all the time."""

    power: str
    contracts: int | None
    at_risk: bool
    risk: str


async def _in_lines(first: Overview, looks: AsyncIterator[Overview | RetryableError], out: TextIO) -> None:
    def say(text: str) -> None:
        print(f"{_clock()} {one_line(text)}", file=out, flush=True)

    seen = _seen(first)
    for node, each in seen.items():
        say(f"node {node}: {each.power}{f'; at risk: {each.risk}' if each.at_risk else ''}")
    trouble = False
    async for look in looks:
        if isinstance(look, RetryableError):
            if not trouble:
                say(f"the chain can't be read: {look}")
            trouble = True
            continue
        if trouble:
            say("the chain can be read again")
        trouble = False
        now = _seen(look)
        for line in _changes(seen, now):
            say(line)
        seen = now


def _changes(before: Mapping[NodeId, _Seen], now: Mapping[NodeId, _Seen]) -> Iterator[str]:
    for node in before.keys() - now.keys():
        yield f"node {node}: left the farm"
    for node, each in now.items():
        was = before.get(node)
        if was is None:
            yield f"node {node}: new in the farm; {each.power}"
            continue
        if was.power != each.power:
            yield f"node {node}: {each.power} (was: {was.power})"
        if was.contracts != each.contracts:
            yield f"node {node}: active contracts: {_number(each.contracts)} (were: {_number(was.contracts)})"
        if was.at_risk != each.at_risk:
            yield f"node {node}: {f'at risk: {each.risk}' if each.at_risk else 'at risk no more'}"


def _seen(overview: Overview) -> Mapping[NodeId, _Seen]:
    return {
        each.id: _Seen(_power(each), each.contracts, each.id in overview.risks, overview.risks.get(each.id, ""))
        for each in overview.view.members
    }


def _power(member: Member) -> str:
    if not isinstance(member.power, NodePower):
        return "power can't be read"
    return f"target {member.power.target.value}, state {member.power.state.power.value}"


def _number(contracts: int | None) -> str:
    return "?" if contracts is None else str(contracts)


def _clock() -> str:
    return datetime.fromtimestamp(SystemClock().now(), UTC).astimezone().isoformat(timespec="seconds")
