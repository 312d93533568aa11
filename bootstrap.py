#!/usr/bin/env python3
"""Set up what powerd needs in .venv (once), and run one task there.

It needs nothing but Python 3.11 or newer with pip: no root, no ensurepip, no venv package.
Words for a task come after it, or with make in ARGS:

    make demo                        python3 bootstrap.py demo
    make unit ARGS="-k wake -n 0"    python3 bootstrap.py unit -k wake -n 0
"""

from __future__ import annotations

import hashlib
import os
import re
import select
import subprocess
import sys
import time
import venv
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"

PROGRESS_S = 5.0

RUN_LOCK = ROOT / "requirements" / "run.lock"
DEV_LOCK = ROOT / "requirements" / "dev.lock"

LINT = [["ruff", "check", "."], ["ruff", "format", "--check", "."]]
TYPES = [["mypy"]]
CONTRACTS = [["lint-imports", "--no-cache"]]

PAGES = ("settings", "zbus", "wake", "faults", "check", "monitoring")
"""Those of docs/ that are made of the code."""

# task → (lock file it needs, commands, what it is for); a command's first word is looked up in .venv/bin.
TASKS: dict[str, tuple[Path, list[list[str]], str]] = {
    "setup": (RUN_LOCK, [], "only set up .venv, then powerd is .venv/bin/powerd"),
    "demo": (
        RUN_LOCK,
        [["powerd", "demo"]],
        "a farm on this machine, one minute: nodes sleep and wake; --profile zos, --keep (make demo ARGS=--help: all)",
    ),
    "test": (
        DEV_LOCK,
        [["python", "-m", "tests.run"]],
        "all tests and the coverage they owe, several minutes; more words go to pytest",
    ),
    "unit": (
        DEV_LOCK,
        [["python", "-m", "tests.run", "tests/unit", "-n", "auto"]],
        "the inner loop: the unit tests alone, some 40 s on two idle cores; more words go to pytest",
    ),
    "sim": (
        RUN_LOCK,
        [["powerd", "simulate", "explore"]],
        "simulated farms with every kind of fault, some 2 minutes; --seeds 1-5000, --minutes 10, --workers 4",
    ),
    "bench": (
        DEV_LOCK,
        [["python", "-m", "tests.bench"]],
        "measurements beside their floors; --quick, --only ROW, --json, --soak-s SECONDS, --soak-events N",
    ),
    "machines": (
        DEV_LOCK,
        [["python", "-m", "tests.machines"]],
        "powerd on real Debian machines under QEMU, some 30 minutes; --only SCENE, --cache DIR, --logs DIR",
    ),
    "deb": (RUN_LOCK, [["python", "-m", "release", "deb"]], "build the package for Debian into dist/; --into DIR"),
    "deb-test": (
        DEV_LOCK,
        [["python", "-m", "tests.packages"]],
        "install, upgrade and purge the .deb in a Debian of its own, as root, some 2 minutes; --cache DIR, --keep DIR",
    ),
    "wheel": (RUN_LOCK, [["python", "-m", "release", "wheel"]], "build the wheel into dist/; --into DIR"),
    "lint": (DEV_LOCK, LINT, "style"),
    "types": (DEV_LOCK, TYPES, "types, strictly"),
    "contracts": (DEV_LOCK, CONTRACTS, "who may import whom"),
    "format": (
        DEV_LOCK,
        [["ruff", "check", "--fix-only", "."], ["ruff", "format", "."]],
        "fix the style; lint shows what is left",
    ),
    "docs": (
        DEV_LOCK,
        [
            ["python", "-m", f"app.entrypoints.documents.{page}"]
            for page in ("settings", "zbus", "wake", "faults", "check", "monitoring", "alerts", "dashboard")
        ],
        "generate what follows from the code: pages of docs/, alert rules and dashboard of packaging/",
    ),
    "check": (
        DEV_LOCK,
        [["python", "-m", "tests.run"], *LINT, *TYPES, *CONTRACTS],
        "what must hold before a change lands: test, lint, types, contracts",
    ),
}


def _narrowed(command: list[str], words: list[str]) -> list[str]:
    """The command with more words; a path among them takes the place of the command's own paths."""

    def is_path(word: str) -> bool:
        return not word.startswith("-") and (ROOT / word.partition("::")[0]).exists()

    kept = [word for word in command if not is_path(word)] if any(map(is_path, words)) else command
    return kept + words


def main(arguments: list[str]) -> int:
    """Run one task; the exit code is that of its first command that fails."""
    if sys.version_info < (3, 11):  # noqa: UP036 - it says so to older ones
        print(f"powerd needs Python 3.11 or newer; this is {sys.version.split()[0]}", file=sys.stderr)
        return 2
    if not arguments or arguments[0] not in TASKS:
        print(__doc__)
        print(tasks())
        return 0 if arguments[:1] in (["--help"], ["-h"]) else 2
    lock, commands, _ = TASKS[arguments[0]]
    try:
        set_up(lock)
    except subprocess.CalledProcessError as failure:
        print(f"bootstrap: the set-up failed (pip exit code {failure.returncode}); see above", file=sys.stderr)
        return 1
    for command in commands[:-1]:
        code = subprocess.call(in_venv(command), cwd=ROOT)
        if code:
            return code
    if commands:
        last = in_venv(_narrowed(commands[-1], arguments[1:]))
        os.chdir(ROOT)
        os.execv(last[0], last)  # noqa: S606 - no shell is wanted
    return 0


def tasks() -> str:
    """One line a task."""
    return "\n".join(f"    {name:<10} {purpose}" for name, (_, _, purpose) in TASKS.items())


def in_venv(command: list[str]) -> list[str]:
    """The command with its program taken from the virtual environment."""
    return [str(BIN / command[0]), *command[1:]]


def set_up(lock: Path) -> None:
    """Bring .venv to what ``lock`` says, unless it already is there."""
    stamp = VENV / f"{lock.stem}.stamp"
    wanted = fingerprint(lock)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"bootstrap: setting up {VENV} from {lock.relative_to(ROOT)} (once) …", file=sys.stderr, flush=True)
    if not (BIN / "python").exists():
        venv.EnvBuilder(with_pip=False, symlinks=True).create(VENV)
    # The run lock is part of the dev lock, so either order of tasks ends in a consistent environment.
    packages = sum("==" in line for line in lock.read_text().splitlines())
    pip("--require-hashes", "--requirement", str(lock), packages=packages)
    pip("--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT), packages=0)
    stamp.write_text(wanted)


def fingerprint(lock: Path) -> str:
    """Changes whenever the set-up has to be done again."""
    digest = hashlib.sha256(f"{sys.version_info[:3]} {VENV}\n".encode())
    for path in (lock, ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def pip(*arguments: str, packages: int) -> None:
    """``pip install`` into the virtual environment, with the pip of the Python that runs this file.

    .venv has none: where it is activated, the pip of the Python that it was made with.
    """
    base = str(Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}"))
    watch(
        [
            *(sys.executable if find_spec("pip") else base, "-m", "pip", "--python", str(BIN / "python"), "install"),
            *("--progress-bar", "off", "--disable-pip-version-check", "--no-input"),
            *arguments,
        ],
        packages,
    )


def watch(command: list[str], packages: int, *, pace_s: float = PROGRESS_S) -> None:
    """Run pip, and say every few seconds how far it is; all that it said is shown only if it fails.

    Raises `subprocess.CalledProcessError`.
    """
    start_s = told_s = time.monotonic()
    said = b""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        ended = False
        while not ended:
            if select.select([process.stdout], [], [], pace_s)[0]:
                chunk = os.read(process.stdout.fileno(), 1 << 16)
                said, ended = said + chunk, not chunk
            now_s = time.monotonic()
            if now_s - told_s >= pace_s and not ended:
                told_s = now_s
                print(f"bootstrap: {progress(said, packages)}, {now_s - start_s:.0f} s", file=sys.stderr, flush=True)
    if process.returncode:
        sys.stderr.write(said.decode(errors="replace"))
        raise subprocess.CalledProcessError(process.returncode, command)


def progress(said: bytes, packages: int) -> str:
    """How far pip is, by what it said; of no packages, when all that is left is powerd itself."""
    if not packages:
        return "installing powerd itself"
    if b"\nInstalling collected packages" in said:
        return f"installing {packages} packages"
    fetched = min(len(re.findall(rb"^(?:Collecting|Requirement already satisfied)", said, re.MULTILINE)), packages)
    return f"fetching package {max(fetched, 1)} of {packages}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
