"""The programs as a user runs them."""

from __future__ import annotations

import subprocess

from app.entrypoints.demo.installation import program


def run(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end, with only the given environment."""
    done = subprocess.run(
        [program("powerd"), *arguments], input=stdin, env=environment, capture_output=True, text=True, timeout=120
    )
    assert "Traceback" not in done.stderr
    return done
