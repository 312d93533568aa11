"""The click commands of ``powerd farm``; what they do stands beside, one module a task."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from app.entrypoints.terminal.durations import WrongTime, duration_s
from app.entrypoints.terminal.late_commands import LateCommand, LateGroup

ID = click.IntRange(1, 2**32 - 1)
"""The chain counts farms and nodes from 1, in 32 bits."""

NODES = click.argument("nodes", type=ID, nargs=-1, required=True, metavar="NODE…")
WAIT = click.option("--wait", is_flag=True, help="Wait until their states follow.")
TIMEOUT = click.option("--timeout", metavar="DURATION", help="How long to --wait at most.  [default: 30m]")
USUAL_WAIT = "30m"


def _wait_s(timeout: str | None, *, wait: bool) -> float | None:
    """How long to wait for the states; None: not at all. A time-out that would be ignored is refused."""
    if timeout is not None and not wait:
        raise click.UsageError("--timeout says how long to wait for the states: add --wait, or leave it out")
    try:
        return duration_s(timeout or USUAL_WAIT) if wait else None
    except WrongTime as error:
        raise click.UsageError(f"--timeout: {error}") from None


@click.group(cls=LateGroup, short_help="The farmer's side: list nodes, set targets.")
def farm() -> None:
    """The farmer's side: see the farm's nodes, and set their power targets."""


@farm.command("list", short_help="Targets, states, signs of life, and who is at risk.")
@click.option("--farm", "farm_id", type=ID, help="Farm id. Without it: of the settings, the farmer's key, or the node.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.pass_obj
def farm_list(options: Any, farm_id: int | None, *, as_json: bool) -> None:
    """Show every node of the farm as the chain has it: target, state and since when, last sign of life, MAC.

    AT RISK is a node that may not come up when it is wanted: no node can wake it, or none is awake to
    do so, or it is wanted up and dark; the reasons stand below. A ? is what the chain does not tell.

    The second table is about the pay (docs/minting.md): what is left of the 24 hours in which a sleeper
    must have booted and reported, of the 30 minutes in which a node that was called must have booted,
    and since when a node that runs earns nothing.
    """
    from app.entrypoints.farm.listing import list_farm

    list_farm(options.container(), farm_id, sys.stdout, as_json=as_json)


@farm.command("up", short_help="Set power targets to Up.")
@NODES
@WAIT
@TIMEOUT
@click.pass_obj
def farm_up(options: Any, nodes: Sequence[int], timeout: str | None, *, wait: bool) -> None:
    """Set the power target of these nodes to Up, and wait until the chain has it.

    Exits with 1 when any failed, or when no node is awake that could wake one of them.
    """
    from app.domain.model import Power
    from app.entrypoints.farm.targets import Wish, set_targets

    wish = Wish(nodes, Power.UP, wait_s=_wait_s(timeout, wait=wait))
    sys.exit(set_targets(options.container(), wish, sys.stdout, sys.stderr))


@farm.command("down", short_help="Set power targets to Down, where it is safe.")
@NODES
@click.option("--force", is_flag=True, help="Although no node could wake them, or a workload runs there.")
@click.option("--yes", is_flag=True, help="Don't ask (it asks on a terminal only).")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@WAIT
@TIMEOUT
@click.pass_obj
def farm_down(
    options: Any, nodes: Sequence[int], timeout: str | None, *, force: bool, yes: bool, dry_run: bool, wait: bool
) -> None:
    """Set the power target of these nodes to Down, and wait until the chain has it.

    All is checked before anything is paid: that the nodes are of a farm of this key, that no
    customer's contract runs on them, and that a node of the farm stays awake to wake them again.
    Exits with 1 when that is not so, or when any failed.
    """
    from app.domain.model import Power
    from app.entrypoints.farm.targets import Wish, set_targets

    wish = Wish(nodes, Power.DOWN, wait_s=_wait_s(timeout, wait=wait), force=force, asks=not yes, dry_run=dry_run)
    sys.exit(set_targets(options.container(), wish, sys.stdout, sys.stderr))


farm.add_command(
    LateCommand(
        "minting", "app.entrypoints.farm.minting.cli:minting", "What the grid's minting credits each node, and why."
    )
)
