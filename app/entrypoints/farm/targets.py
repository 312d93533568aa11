"""``powerd farm up`` and ``down``: check, confirm, set the targets side by side, and report each result."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TextIO

import click

from app.adapters.files.last_write import LastWrite, save_last_write
from app.adapters.linux.clock import SystemClock
from app.adapters.telemetry.log import one_line
from app.domain.errors import ExtrinsicRefused, ExtrinsicUncertain, PowerdError
from app.domain.model import HeadKind, Inclusion, NodeId, NodePower, Power, Unreadable
from app.domain.rules.farm_risk import (
    objections,
    state_of,
)
from app.entrypoints.farm.checks import FEE, Checked, NothingDone, check
from app.entrypoints.farm.farm_choice import which_farm
from app.entrypoints.farm.minting.cache import last_write_path
from app.entrypoints.farm.overview import overview_of
from app.entrypoints.farm.remaining_risk import RemainingRisk
from app.entrypoints.farm.waiting import Awaited, named, wait_for_states
from app.entrypoints.wiring.container import Container
from app.ports.power_targets import PowerTargets

DONE, SOME_FAILED = 0, 1

ALREADY = {
    Power.DOWN: "target Down already",
    Power.UP: f"target Up already; to set it again costs {FEE}, and makes its peers call it once more",
}
LATE = {
    Power.DOWN: "`powerd status` on the node says what keeps it up",
    Power.UP: "see whether the machine runs, and press its power button if it does not",
}
"""What to do about a node whose state does not follow its target."""
HINT_AFTER_S = {Power.DOWN: 120.0, Power.UP: 300.0}
"""Most nodes say Down, or have booted, by then: so the reader learns of the others while the command waits."""


@dataclass(frozen=True, slots=True)
class TargetRequest:
    """The command's request. ``wait_s`` is how long to wait for the states to follow; None: not at all.

    ``every``: instead of ``nodes``, those of the farm that are not up.
    """

    nodes: Sequence[int]
    target: Power
    every: bool = False
    wait_s: float | None = None
    force: bool = False
    asks: bool = False
    dry_run: bool = False


def set_targets(container: Container, request: TargetRequest, out: TextIO, err: TextIO) -> int:
    """The exit code: 0 when all was done, 1 when some failed. Raises `NothingDone` before anything is paid."""
    return asyncio.run(_Command(container, request, out, err).run())


class _Command:
    def __init__(self, container: Container, request: TargetRequest, out: TextIO, err: TextIO) -> None:
        self._container = container
        self._request = request
        self._out = out
        self._err = err
        self._nodes = [NodeId(node) for node in dict.fromkeys(request.nodes)]
        self._fresh_s = container.settings().power_management.sign_of_life_s
        self._reported: set[str] = set()

    async def run(self) -> int:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._container.chain_client().close)
            if self._request.every and not await self._all_of_the_farm():
                return DONE
            checked, wanted = await self._look(self._nodes)
            if self._request.dry_run:
                if not wanted:
                    self._say("nothing would be done")
                for node in wanted:
                    self._say(f"node {node} of farm {checked.farm[node]}: target would be {self._request.target.value}")
                return DONE
            if self._confirm(wanted):
                # The answer may have taken hours, in which others gave commands, and customers came.
                checked, wanted = await self._look(wanted)
            failed = await self._send(checked, wanted)
            done = [node for node in self._nodes if node not in failed]
            risk = RemainingRisk(self._container, checked, self._print_problem)
            unreachable = await risk.unreachable(done) if self._request.target is Power.UP else []
            looks = self._request.target is Power.DOWN and not self._request.force
            without_waker = await risk.without_waker(done) if looks else []
            late = await self._wait([node for node in done if node not in unreachable])
        return SOME_FAILED if failed or unreachable or without_waker or late else DONE

    async def _look(self, nodes: Sequence[NodeId]) -> tuple[Checked, list[NodeId]]:
        """The farms now, and of ``nodes`` those to set; `NothingDone` where an objection forbids that."""
        checked = await check(self._container, nodes)
        self._refuse_doubt(checked)
        wanted = self._worth_setting(checked, nodes)
        self._object(checked, wanted)
        return checked, wanted

    async def _all_of_the_farm(self) -> bool:
        """Select the farm's nodes that are not up; false when there is none."""
        farm = await which_farm(self._container)
        overview = await overview_of(self._container, farm)
        self._nodes = [
            member.id
            for member in overview.view.members
            if not (state_of(member) is Power.UP and _target(member.power) is Power.UP)
        ]
        if not self._nodes:
            self._say(f"farm {farm}: all nodes are up, and their targets are Up")
        return bool(self._nodes)

    def _worth_setting(self, checked: Checked, nodes: Sequence[NodeId]) -> list[NodeId]:
        """A second Down changes nothing and costs a fee; a second Up makes the node's peers call it once more."""
        wanted = []
        for node in nodes:
            already = _target(checked.member(node).power) is self._request.target
            if already:
                self._say(f"node {node}: {ALREADY[self._request.target]}")
            if not already or self._request.target is Power.UP:
                wanted.append(node)
        return wanted

    def _refuse_doubt(self, checked: Checked) -> None:
        """A Down from an old view is doubt, so it is refused; an Up is harmless."""
        if checked.doubts and self._request.target is Power.DOWN:
            raise NothingDone(f"{'; '.join(checked.doubts)}. Nothing was changed")
        for problem in checked.doubts:
            self._print_problem(problem)

    def _object(self, checked: Checked, wanted: Sequence[NodeId]) -> None:
        if self._request.target is Power.UP:
            return
        problems = list(self._objections(checked, wanted))
        for problem in problems:
            if problem not in self._reported:
                self._print_problem(f"{problem}{' (--force: done anyway)' if self._request.force else ''}")
        self._reported.update(problems)
        if problems and not self._request.force:
            raise NothingDone("nothing was changed; fix these problems, leave out a node, or add --force")

    def _objections(self, checked: Checked, wanted: Sequence[NodeId]) -> Iterator[str]:
        """A farm in which no target changes has no problems."""
        for farm, view in checked.views.items():
            members = {member.id: member for member in view.members}
            down = [node for node in wanted if checked.farm[node] == farm]
            for problem in objections(down, members, self._fresh_s) if down else ():
                yield f"farm {farm}: {problem}"

    def _confirm(self, nodes: Sequence[NodeId]) -> bool:
        """Whether it was asked, and the answer was yes; `click.Abort` where it was no."""
        if not (nodes and self._request.asks and sys.stdin.isatty() and self._out.isatty()):
            return False
        # asyncio's handler would only cancel the task, which does not run while the answer is waited for.
        handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            click.confirm(f"Set the power target of {named(nodes)} to {self._request.target.value}?", abort=True)
        finally:
            signal.signal(signal.SIGINT, handler)
        return True

    async def _send(self, checked: Checked, nodes: Sequence[NodeId]) -> list[NodeId]:
        """The nodes that certainly failed: where the result is not known, the chain's target decides."""
        failures: dict[NodeId, PowerdError] = {}
        last = 0
        if nodes:
            targets: PowerTargets = self._container.power_targets()
            async for node, end in targets.set_power_targets(nodes, self._request.target):
                if isinstance(end, Inclusion):
                    where = end.block_number if end.block_number is not None else end.block_hash
                    self._say(f"node {node}: target {self._request.target.value} since block {where}")
                    last = max(last, end.block_number or 0)
                else:
                    failures[node] = end
        if last:
            write = LastWrite(last, SystemClock().now())
            save_last_write(last_write_path(self._container.settings().chain.urls), write)
        there = await self._reached_anyway(checked, list(failures))
        for node in there:
            said = failures.pop(node)
            self._say(
                f"node {node}: target {self._request.target.value}; the chain has it, though the error was: {said}"
            )
        for node, error in failures.items():
            self._print_problem(f"node {node}: {await self._explained(checked, error)}")
        if failures and len(nodes) > 1:
            self._print_problem(f"{len(failures)} of {len(nodes)} failed: {named(list(failures))}")
        return list(failures)

    async def _reached_anyway(self, checked: Checked, failed: Sequence[NodeId]) -> list[NodeId]:
        """The nodes that have the target now and did not before: an older target proves nothing."""
        nodes = [node for node in failed if _target(checked.member(node).power) is not self._request.target]
        if not nodes:
            return []
        try:
            reading = await self._container.farm_chain().powers(nodes, HeadKind.BEST)
        except PowerdError:
            return []
        powers = reading.powers
        return [node for node in nodes if _target(powers[node]) is self._request.target]

    async def _explained(self, checked: Checked, error: PowerdError) -> str:
        if isinstance(error, ExtrinsicUncertain):
            return f"{error}. It may still come: look at `powerd farm list` before you give the command again"
        if not isinstance(error, ExtrinsicRefused):
            return str(error)
        if error.reason != ExtrinsicRefused.PAYMENT:
            return f"{error}. `powerd farm list` shows whether another block has it; if not, give the command again"
        account = checked.account
        return (
            f"{error}: account {account.address} of the farmer's key had {account.free_tft:g} TFT, and a target costs "
            f"{FEE}; send it some, or use another key (--key)"
        )

    async def _wait(self, nodes: Sequence[NodeId]) -> Sequence[NodeId]:
        if self._request.wait_s is None or not nodes:
            return []
        target = self._request.target
        awaited = Awaited(nodes, target, self._request.wait_s, LATE[target], HINT_AFTER_S[target])
        late = await wait_for_states(self._container.farm_chain(), awaited, self._out, self._err)
        for node in late:
            power = self._request.target.value
            late_by = f"its state is not {power} after {self._request.wait_s:g} s, and its target stays {power}"
            self._print_problem(f"node {node}: {late_by}; {LATE[self._request.target]}")
        return late

    def _say(self, text: str) -> None:
        print(one_line(text), file=self._out, flush=True)

    def _print_problem(self, text: str) -> None:
        print(f"powerd: {one_line(text)}", file=self._err, flush=True)


def _target(power: NodePower | Unreadable) -> Power | None:
    return power.target if isinstance(power, NodePower) else None
