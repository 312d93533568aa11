"""The click command ``powerd check``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

TIME_S = 10.0


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
    type=click.FloatRange(1, 300),
    default=TIME_S,
    show_default=True,
    metavar="SECONDS",
    help="For all of it, whatever hangs.",
)
@click.pass_obj
def check(options: Any, only: Sequence[str], time_s: float, *, as_json: bool, warnings_pass: bool) -> None:
    """Try everything that this node needs before it is trusted with its own power switch.

    Settings, Redis, the chain, the node's record, its card, its rights and its peers are asked side by
    side; nothing is changed on the chain or on this machine. Run it as the user that powerd runs as.

    Exits with 0 if all is well, 1 if there are warnings, 2 if anything failed.
    """
    from app.entrypoints.check.command import Wish, check_all

    sys.exit(check_all(options.settings_with_origins, Wish(only, time_s, as_json, warnings_pass), sys.stdout))
