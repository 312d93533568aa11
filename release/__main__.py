"""``python -m release``: build the package for Debian, or the wheel, or print the notes of this version."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from release.checkout import ROOT, BuildFailed, Checkout
from release.deb import build_deb
from release.wheel import build_wheel


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("what", type=click.Choice(["deb", "wheel", "notes"]))
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), default=ROOT / "dist", help="Default: dist/")
def main(what: str, into: Path) -> None:
    """Build a package of this checkout, or print its version's notes. Exits with 1 when a step failed."""
    checkout = Checkout()
    try:
        if what == "notes":
            click.echo(checkout.notes(), nl=False)
            return
        built = build_wheel(checkout, into) if what == "wheel" else build_deb(checkout, into, _tell)
    except BuildFailed as failure:
        click.echo(f"release: {failure}", err=True)
        raise SystemExit(1) from None
    click.echo(f"{built} ({built.stat().st_size / 2**20:.1f} MiB)")


def _tell(text: str) -> None:
    click.echo(f"release: {text}", err=True)


if __name__ == "__main__":
    sys.exit(main())
