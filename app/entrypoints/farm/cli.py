"""The click commands of ``powerd farm``; each task has a module of its own in this package."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from app.entrypoints.farm.options import ID, farmer_container, farmer_options
from app.entrypoints.terminal.lazy_commands import LazyCommand, LazyGroup
from app.entrypoints.terminal.ranges import duration

if TYPE_CHECKING:
    from app.domain.model import Mac

NODES = click.argument("nodes", type=ID, nargs=-1, required=True, metavar="NODE…")
WAIT = click.option("--wait", is_flag=True, help="Wait until their states follow.")
TIMEOUT = click.option(
    "--timeout",
    "timeout_s",
    callback=duration(),
    metavar="DURATION",
    help="How long to --wait at most.  [default: 30m]",
)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say what would be done.")
USUAL_WAIT_S = 1800


def _wait_s(timeout_s: int | None, *, wait: bool) -> float | None:
    """How long to wait for the states; None: not at all. A time-out that would be ignored is refused."""
    if timeout_s is not None and not wait:
        raise click.UsageError("--timeout says how long to wait for the states: add --wait, or leave it out")
    return timeout_s or USUAL_WAIT_S if wait else None


class FarmGroup(LazyGroup):
    """An error of an unreachable chain gets the remedy: another endpoint."""

    def invoke(self, ctx: click.Context) -> object:
        from app.domain.errors import ChainUnavailable

        try:
            return super().invoke(ctx)
        except ChainUnavailable as error:
            raise ChainUnavailable(f"{error}; name an endpoint that answers: --chain URL (chain.urls)") from error


@click.group(cls=FarmGroup, short_help="The farmer's side: list nodes, set targets, wake.")
@farmer_options
def farm() -> None:
    """The farmer's side: list the farm's nodes, set their power targets, and wake them.

    These commands run on any machine that reaches the chain. Settings say the same as the options here:
    chain.urls, farmer.key_file, farmer.key_type and identity.farm_id.
    """


@farm.command("list", short_help="Targets, states, signs of life, and who is at risk.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@farmer_options
@click.pass_context
def farm_list(ctx: click.Context, /, *, as_json: bool) -> None:
    """Show every node of the farm as the chain has it.

    SINCE is when a sleeper said Down (of an Up the chain keeps no time), LAST SIGN its last report or
    other sign of life, LEFT the time until it misses the next deadline of its pay: to report, to boot
    after it was called, or to be called after it went to sleep (docs/minting.md). WOKEN BY are the nodes
    that are awake and can wake it; one with a ? may not be. CONTRACTS are active ones, which block a Down.

    AT RISK is a node that may not come up when it is wanted: no node can wake it, or none is awake to
    do so, or it is wanted up and dark; the reasons stand below. A ? marks what the chain does not show.
    """
    from app.entrypoints.farm.listing import list_farm

    list_farm(farmer_container(ctx), sys.stdout, as_json=as_json)


@farm.command("watch", short_help="The same, live.")
@click.option(
    "--every",
    "every_s",
    callback=duration(),
    default="6s",
    show_default=True,
    metavar="DURATION",
    help="How often the chain is read.",
)
@farmer_options
@click.pass_context
def farm_watch(ctx: click.Context, /, *, every_s: int) -> None:
    """Show the farm as `powerd farm list` does, live, until Ctrl-C.

    Where the output goes to no terminal, each change is a line with its time.
    """
    from app.entrypoints.farm.watching import watch_farm

    watch_farm(farmer_container(ctx), sys.stdout, every_s)


@farm.command("up", short_help="Set power targets to Up.")
@click.argument("nodes", type=ID, nargs=-1, metavar="[NODE…]")
@click.option("--all", "every", is_flag=True, help="All nodes of the farm that are not up.")
@DRY_RUN
@WAIT
@TIMEOUT
@farmer_options
@click.pass_context
def farm_up(
    ctx: click.Context, /, *, nodes: Sequence[int], every: bool, timeout_s: int | None, wait: bool, dry_run: bool
) -> None:
    """Set the power target of these nodes to Up, and wait until the chain has it.

    Where the target of a node that was named is Up already, it is set once more, so that its peers call it.
    Exits with 1 when any failed, or when no node is awake that could wake one of them.
    """
    from app.domain.model import Power
    from app.entrypoints.farm.targets import TargetRequest, set_targets

    if every == bool(nodes):
        raise click.UsageError(
            "name the nodes, or say --all" if not nodes else "name the nodes, or say --all, not both"
        )
    request = TargetRequest(nodes, Power.UP, every=every, wait_s=_wait_s(timeout_s, wait=wait), dry_run=dry_run)
    sys.exit(set_targets(farmer_container(ctx), request, sys.stdout, sys.stderr))


@farm.command("down", short_help="Set power targets to Down, where it is safe.")
@NODES
@click.option("--force", is_flag=True, help="Even if no node could wake them, or a workload runs there.")
@click.option("--yes", is_flag=True, help="Don't ask (it asks on a terminal only).")
@DRY_RUN
@WAIT
@TIMEOUT
@farmer_options
@click.pass_context
def farm_down(
    ctx: click.Context,
    /,
    *,
    nodes: Sequence[int],
    timeout_s: int | None,
    force: bool,
    yes: bool,
    dry_run: bool,
    wait: bool,
) -> None:
    """Set the power target of these nodes to Down, and wait until the chain has it.

    All is checked before anything is paid: that the nodes are of a farm of this key, that no
    customer's contract runs on them, and that a node of the farm stays awake to wake them again.
    Exits with 1 when that is not so, or when any failed.
    """
    from app.domain.model import Power
    from app.entrypoints.farm.targets import TargetRequest, set_targets

    request = TargetRequest(
        nodes, Power.DOWN, wait_s=_wait_s(timeout_s, wait=wait), force=force, asks=not yes, dry_run=dry_run
    )
    sys.exit(set_targets(farmer_container(ctx), request, sys.stdout, sys.stderr))


def _macs(_context: click.Context, _option: click.Parameter, texts: Sequence[str]) -> Sequence[Mac]:
    from app.domain.model import Mac

    try:
        return [Mac.parse(text) for text in texts]
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@farm.command("wake", short_help="Send magic packets from this machine, and no more.")
@click.argument("nodes", type=ID, nargs=-1, metavar="[NODE…]")
@click.option(
    "--mac", "macs", multiple=True, metavar="MAC", callback=_macs, help="A card's address, if the chain is away."
)
@click.option("--interface", "interfaces", multiple=True, metavar="NAME", help="The card or bridge they leave by.")
@click.option("--udp", is_flag=True, help="As UDP broadcasts, which need no rights, instead of Ethernet frames.")
@farmer_options
@click.pass_context
def farm_wake(
    ctx: click.Context, /, *, nodes: Sequence[int], macs: Sequence[Mac], interfaces: Sequence[str], udp: bool
) -> None:
    """Send a burst of magic packets to these nodes, from this machine, which must be in their network segment.

    It needs no key, and changes nothing on chain: a node whose target is Down wakes, and goes to sleep
    again. The chain has the addresses of the nodes. While no chain answers, name the addresses instead
    (--mac, can be repeated): then powerd asks no chain.

    Without --interface, that of the settings (magic_packets.interface); without either, --udp
    goes where the system routes broadcasts. Exits with 1 when no packet left for one of them.
    """
    from app.entrypoints.farm.waking import call, packet_settings

    if bool(nodes) == bool(macs):
        raise click.UsageError("name the nodes, or their addresses with --mac" + (", not both" if macs else ""))
    container = farmer_container(ctx, packet_settings(interfaces, udp=udp))
    sys.exit(call(container, nodes, macs, sys.stdout, sys.stderr))


@farm.command("whoami", short_help="The key's account, twin, farms, and what it can pay.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@farmer_options
@click.pass_context
def farm_whoami(ctx: click.Context, /, *, as_json: bool) -> None:
    """Show who the key is on the chain: account, twin and farms; its balance, and how many targets it pays for."""
    from app.entrypoints.farm.whoami import show_account

    show_account(farmer_container(ctx), sys.stdout, as_json=as_json)


farm.add_command(
    LazyCommand(
        "minting", "app.entrypoints.farm.minting.cli:minting", "What the grid's minting credits each node, and why."
    )
)
