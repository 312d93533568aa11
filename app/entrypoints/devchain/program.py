"""The console script. It says which extra is missing if powerd was installed without the dev chain's packages."""

from __future__ import annotations

import sys

from app.entrypoints.terminal.extras import ExtraMissing, require_extra
from app.entrypoints.terminal.interrupts import run_program


def main() -> None:
    """Run ``powerd-devchain``."""
    try:
        require_extra("powerd-devchain", "demo", "websockets")
    except ExtraMissing as missing:
        print(f"powerd-devchain: {missing}", file=sys.stderr)
        sys.exit(missing.exit_code)
    run_program("app.entrypoints.devchain.cli")
