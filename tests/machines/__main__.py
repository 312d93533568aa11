"""``python -m tests.machines``: boot machines, play the scenes, and end with one line of figures."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click

from app.domain.errors import PowerdError
from app.entrypoints.demo.own_environment import forget_settings
from app.entrypoints.demo.reaper import start_reaper
from release.checkout import BuildFailed
from tests.machines.farm import FarmFailed, farm
from tests.machines.image import Image
from tests.machines.lines import Gone
from tests.machines.machine import TooLate
from tests.machines.needs import missing
from tests.machines.ports import free_port
from tests.machines.repertoire import LONG, SCENES
from tests.machines.segment import Segment, plug_in
from tests.machines.stand import NotSo, Stand


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--only", type=click.Choice(list(SCENES)), multiple=True, help="Only these scenes; may be repeated.")
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False), help="Keep Debian and the disk here.")
@click.option("--logs", type=click.Path(path_type=Path, file_okay=False), help="Keep consoles and logs here.")
@click.option("--accel", default="tcg", show_default=True, help="QEMU's accelerator; kvm where that works.")
def main(only: Sequence[str], cache: Path | None, logs: Path | None, accel: str) -> None:
    """powerd on real Debian machines under QEMU. Exits with 1 when a scene failed, 2 if it can't run."""
    forget_settings()
    directory = Path(tempfile.mkdtemp(prefix="powerd-machines-"))
    start_reaper(directory, remove=True)
    image = Image((cache or directory / "cache").resolve())
    lacking = missing(lambda: image.is_there)
    if lacking:
        raise SystemExit(_refuse("this machine lacks " + "; ".join(lacking)))
    begun_s = time.monotonic()
    try:
        image.make(lambda text: click.echo(f"machines: {text}"))
    except BuildFailed as failure:
        raise SystemExit(_refuse(str(failure))) from None
    names = only or [name for name in SCENES if name not in LONG]
    work = directory / "work"
    work.mkdir()
    try:
        passed, boots = asyncio.run(_play(image, work, names, accel))
    except FarmFailed as failure:
        raise SystemExit(_refuse(str(failure))) from None
    finally:
        if logs is not None:
            _keep(work, logs)
    took_s = time.monotonic() - begun_s
    click.echo(f"machines: {passed} of {len(names)} scenes passed, {boots} boots, {took_s:.0f} s")
    raise SystemExit(0 if passed == len(names) else 1)


async def _play(image: Image, directory: Path, names: Sequence[str], accel: str) -> tuple[int, int]:
    """How many scenes passed, and how often a machine booted."""
    passed = boots = 0
    for name in names:
        place = directory / name
        place.mkdir()
        begun_s = time.monotonic()
        # The MAC follows from the dev chain's text, so it is known before the chain is.
        segment = Segment("")
        port = await plug_in(segment)
        async with farm(place, port) as made:
            segment.mac = str(made.about["nodes"][0]["mac"])
            stand = Stand(image, place, made, segment, port, free_port(), accel)
            try:
                await SCENES[name](stand)
            except (NotSo, TooLate, FarmFailed, Gone, PowerdError, OSError) as failure:
                reason = str(failure) or type(failure).__name__
                click.echo(f"{name:<13} FAILED after {time.monotonic() - begun_s:.0f} s: {reason}")
            else:
                passed += 1
                click.echo(f"{name:<13} passed in {time.monotonic() - begun_s:.0f} s: {', '.join(stand.said)}")
            boots += stand.boots
        for disk in place.rglob("disk.raw"):
            disk.unlink()
    return passed, boots


def _keep(work: Path, logs: Path) -> None:
    """Consoles and logs; no keys, and no disks."""
    for path in work.rglob("*.log"):
        target = logs / path.relative_to(work)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def _refuse(reason: str) -> int:
    click.echo(f"machines: {reason}", err=True)
    return 2


if __name__ == "__main__":
    sys.exit(main())
