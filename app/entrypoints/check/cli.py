"""The click command ``powerd check``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from app.entrypoints.terminal.ranges import WholeRange, duration

TIME_S = 10.0
WAIT_S = 600.0
"""For a wake, or a packet: servers take minutes to boot."""


def _names(_: click.Context, option: click.Parameter, names: Sequence[str]) -> Sequence[str]:
    """Each may be a list with commas; the table is loaded only if there is any."""
    given = [name.strip() for each in names for name in each.split(",") if name.strip()]
    if given:
        from app.entrypoints.check.table import CHECKS

        known = [check.name for check in CHECKS]
        if unknown := [name for name in given if name not in known]:
            raise click.BadParameter(f"there is no check {unknown[0]!r}; there are {', '.join(known)}", param=option)
    return given


@click.command(short_help="Try everything that powerd needs, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="All findings, as one JSON object.")
@click.option("--only", multiple=True, metavar="NAME", callback=_names, help="Only this check; may be repeated.")
@click.option("--warnings-pass", is_flag=True, help="Exit with 0 if there are warnings and nothing failed.")
@click.option(
    "--timeout",
    "time_s",
    callback=duration(longest_s=3600),
    metavar="DURATION",
    help=f"For all of it, whatever hangs.  [default: {TIME_S:.0f}s; with --wake and --hear {WAIT_S / 60:.0f}m]",
)
@click.option("--wake", "node", type=WholeRange(1, 2**32 - 1), metavar="NODE", help="Only call that sleeper.")
@click.option("--trial", is_flag=True, help="Only allow one sleep in the next hour, though no wake was proved yet.")
@click.option("--hear", is_flag=True, help="Only wait for a magic packet of another node.")
@click.option("--service", is_flag=True, help="Run it as systemd runs powerd, with its user, key and rights.")
@click.pass_obj
def check(
    options: Any,
    only: Sequence[str],
    time_s: int | None,
    node: int | None,
    *,
    as_json: bool,
    warnings_pass: bool,
    hear: bool,
    trial: bool,
    service: bool,
) -> None:
    """Try everything that this node needs before it is trusted with its own power switch.

    Settings, Redis, the chain, the node's record, its card, its rights and its peers are asked side by
    side; nothing is changed on the chain or on this machine. Run it as the user that powerd runs as; where
    systemd runs powerd, as root with --service.

    With --wake it sends magic packets to a node that sleeps, until the chain shows it awake; with
    --hear it waits for such packets here, and says from whom they came, and by which interface. With
    --trial it lets this node sleep once where power_management.require_proved_wake keeps it up.

    Exits with 0 if all is well, 1 if there are warnings, 2 if anything failed.
    """
    from app.entrypoints.check.command import CheckRequest, allow_trial, check_all, hear_packet, wake_node

    if (node is not None) + hear + trial + bool(only or as_json or warnings_pass) > 1:
        raise click.UsageError("--wake NODE, --hear and --trial stand alone (beside --timeout)")
    if service:
        from app.entrypoints.check.as_service import run_as_service

        run_as_service(sys.argv)
    load = options.settings_with_origins
    if node is not None:
        sys.exit(wake_node(load, node, time_s or WAIT_S, sys.stdout))
    if trial:
        allow_trial(load, sys.stdout)
        return
    if hear:
        sys.exit(hear_packet(load, time_s or WAIT_S, sys.stdout))
    code, hangs = check_all(load, CheckRequest(only, time_s or TIME_S, as_json, warnings_pass), sys.stdout)
    if hangs:
        sys.stdout.flush()
        os._exit(code)  # in order it would wait for what hangs
    sys.exit(code)
