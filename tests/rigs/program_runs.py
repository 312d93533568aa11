"""The programs as a user runs them."""

from __future__ import annotations

import subprocess

from app.entrypoints.demo.installation import program


def run(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """The program to its end, with nothing in its environment but what is given."""
    done = subprocess.run(
        [program("powerd"), *arguments], input=stdin, env=environment, capture_output=True, text=True, timeout=120
    )
    assert "Traceback" not in done.stderr
    return done
