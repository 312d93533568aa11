"""Writes the shells' completion files: ``python -m app.entrypoints.documents.completion DIR``.

They are click's own scripts: at each Tab they ask the program, which answers in the time of its ``--help``.
DIR gets ``bash/powerd``, ``zsh/_powerd`` and ``fish/powerd.fish``, named as each shell looks for them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from app.entrypoints.powerd.cli import main

FILES: Mapping[str, tuple[type[ShellComplete], str]] = {
    "bash": (BashComplete, "powerd"),
    "zsh": (ZshComplete, "_powerd"),
    "fish": (FishComplete, "powerd.fish"),
}


def script(shell: str) -> str:
    """The file for ``shell``, one of `FILES`. The shell itself is not needed."""
    completion = FILES[shell][0](main, {}, "powerd", "_POWERD_COMPLETE")
    # The source() of BashComplete starts bash, to see that it is not older than 4.4.
    return ShellComplete.source(completion).lstrip("\n")


def write(directory: Path) -> None:
    for shell, (_, name) in FILES.items():
        file = directory / shell / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(script(shell))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
