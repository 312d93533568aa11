"""The console script. It says which extra is missing if powerd was installed without the dev chain's packages."""

from __future__ import annotations

import sys

from app.entrypoints.terminal.extras import ExtraMissing, require_extra


def main() -> None:
    """Run ``powerd-devchain``."""
    try:
        require_extra("powerd-devchain", "demo", "websockets")
    except ExtraMissing as missing:
        print(f"powerd-devchain: {missing}", file=sys.stderr)
        sys.exit(missing.exit_code)
    from app.entrypoints.devchain.cli import main as run

    run()
