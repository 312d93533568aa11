"""The wheel of powerd itself, built from an export of the checkout, without network."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from release.checkout import Checkout, run

BUILD = "import sys, setuptools.build_meta as backend; backend.build_wheel(sys.argv[1])"


def build_wheel(checkout: Checkout, directory: Path) -> Path:
    """The wheel's path, in ``directory``; the same to the byte for the same commit. Raises `BuildFailed`."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="powerd-wheel-") as exported:
        checkout.export(Path(exported))
        run(
            *(sys.executable, "-c", BUILD, str(directory.resolve())),
            directory=Path(exported),
            POWERD_COMMIT=checkout.commit,
            SOURCE_DATE_EPOCH=str(checkout.epoch_s),
        )
    return next(directory.glob(f"powerd-{checkout.version}-*.whl"))
