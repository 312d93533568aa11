"""``python -m tests.bench``: measure, and print one table."""

from __future__ import annotations

import asyncio
import compileall
import dataclasses
import json
import os
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import click

from app.entrypoints.demo.own_environment import forget_settings
from app.entrypoints.demo.reaper import start_reaper
from app.entrypoints.terminal.ranges import FiniteRange
from tests.bench import (
    chain_reads,
    codecs,
    footprint,
    host_check,
    metrics,
    minting,
    power_off,
    simulation,
    simulator_commands,
    start_up,
    unreadable_events,
    wakes,
    zbus_calls,
    zos_footprint,
    zos_wakes,
)
from tests.bench.figure import FULL, QUICK, Figure, Scale

ROWS: Mapping[str, Callable[[Scale], Awaitable[Sequence[Figure]]]] = {
    "codecs": codecs.measure,
    "chain": chain_reads.measure,
    "minting": minting.measure,
    "wake": wakes.measure,
    "power-off": power_off.measure,
    "start-up": start_up.measure,
    "check": host_check.measure,
    "footprint": footprint.measure,
    "metrics": metrics.measure,
    "zbus": zbus_calls.measure,
    "zos-wake": zos_wakes.measure,
    "zos-footprint": zos_footprint.measure,
    "simulation": simulation.measure,
    "month": simulator_commands.month,
    "workers": simulator_commands.workers,
    "outage": unreadable_events.measure,
    "soak": footprint.soak,
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of the table.")
@click.option("--only", type=click.Choice(list(ROWS)), multiple=True, help="Only these rows; may be repeated.")
@click.option("--quick", is_flag=True, help="Few samples: whether it runs, not how fast.")
@click.option("--soak-s", type=FiniteRange(1), help="Seconds the soak takes.")
@click.option("--soak-events", type=click.IntRange(1), help="Events it takes, instead of seconds; or what ends first.")
def main(as_json: bool, only: Sequence[str], quick: bool, soak_s: float | None, soak_events: int | None) -> None:
    """Measure powerd beside a floor of the same run, without any assertion; see docs/benchmarks.md."""
    forget_settings(but=("POWERD_TEST_", "POWERD_BENCH_"))
    # Compile every module, as in an installed powerd.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compileall.compile_dir(Path(__file__).parents[2] / "app", quiet=2)
    start_reaper(Path(tempfile.mkdtemp(prefix="powerd-")), remove=True)
    scale = QUICK if quick else FULL
    if soak_s is not None:
        scale = dataclasses.replace(scale, soak_s=soak_s)
    if soak_events is not None:
        scale = dataclasses.replace(scale, soak_s=soak_s or float("inf"), soak_events=soak_events)
    if not as_json:
        click.echo(HEADINGS)
    for name in only or ROWS:
        for figure in asyncio.run(_run(name, scale)):
            as_object = {"row": name, **dataclasses.asdict(figure)}
            click.echo(json.dumps(as_object) if as_json else _line(name, figure))


async def _run(name: str, scale: Scale) -> Sequence[Figure]:
    return await ROWS[name](scale)


HEADINGS = f"{'row':<13} {'measure':<48} {'value':>10} {'unit':<12} {'floor':>10}  {'ratio':>7}  {'aim':<9} against"


def _line(row: str, figure: Figure) -> str:
    floor = "" if figure.floor is None else _number(figure.floor)
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}×"
    return (
        f"{row:<13} {figure.measure:<48} {_number(figure.value):>10} {figure.unit:<12} {floor:>10}  "
        f"{ratio:>7}  {figure.aim:<9} {figure.against}"
    ).rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
