"""``python -m tests.packages``: build the .deb twice, and live its life in a Debian of its own."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import click

from app.entrypoints.demo.own_environment import forget_settings
from app.entrypoints.demo.reaper import start_reaper
from release.checkout import BuildFailed, Checkout
from release.deb import build_deb
from tests.machines.debian import Debian
from tests.machines.next_version import next_version
from tests.packages.host import Host, NotSo
from tests.packages.life import STEPS, purged

NEEDS = {"debootstrap": "debootstrap", "dpkg-deb": "dpkg", "chroot": "coreutils", "unshare": "util-linux"}
"""Programs, each with its Debian package."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False), help="Keep Debian here (or use it).")
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Leave the .deb here.")
def main(cache: Path | None, keep: Path | None) -> None:
    """Install, use, upgrade, roll back, remove and purge the .deb. Exits with 1 when that failed, 2 if it can't run."""
    forget_settings()
    lacking = [f"{name} (Debian: apt-get install {of})" for name, of in NEEDS.items() if not shutil.which(name)]
    if os.geteuid() != 0:
        lacking.append("root, for debootstrap and chroot")
    if lacking:
        click.echo(f"packages: this machine lacks {'; '.join(lacking)}", err=True)
        raise SystemExit(2)
    directory = Path(tempfile.mkdtemp(prefix="powerd-packages-"))
    start_reaper(directory, remove=True)
    begun_s = time.monotonic()
    try:
        _live(directory, (cache or directory / "cache").resolve(), keep)
    except (BuildFailed, NotSo) as failure:
        click.echo(f"packages: FAILED after {time.monotonic() - begun_s:.0f} s: {failure}")
        raise SystemExit(1) from None
    click.echo(f"packages: {len(STEPS) + 2} steps passed, {time.monotonic() - begun_s:.0f} s")


def _live(directory: Path, cache: Path, keep: Path | None) -> None:
    checkout = Checkout()
    deb = build_deb(checkout, directory / "first", _tell)
    if build_deb(checkout, directory / "second", _tell).read_bytes() != deb.read_bytes():
        raise NotSo("two builds of the same commit differ")
    _passed("build", f"twice the same {deb.stat().st_size / 2**20:.1f} MiB")
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        shutil.copy(deb, keep)
    host = Host(directory / "tree")
    Debian(cache).copy_to(host.tree, _tell)
    shutil.copy(deb, host.tree / "powerd.deb")
    next_version(deb, host.tree / "powerd-next.deb")
    before = host.files()
    for name, step in STEPS.items():
        _passed(name, step(host))
    _passed("purge", purged(host, before))


def _passed(step: str, seen: str) -> None:
    click.echo(f"{step:<10} passed: {seen}")


def _tell(text: str) -> None:
    click.echo(f"packages: {text}", err=True)


if __name__ == "__main__":
    sys.exit(main())
