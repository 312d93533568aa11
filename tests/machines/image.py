"""The disk of the machines: Debian 12, and powerd on it as packaging/README.md says.

Both layers are kept in the cache, each under a fingerprint of all that went into it: Debian as a tree, and the disk.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path

from packaging.markers import Marker

from tests.machines.needs import ADMIN_PATH

ROOT = Path(__file__).resolve().parents[2]
INSIDE = Path(__file__).with_name("inside")
SUITE = "bookworm"
DISK_MIB = 1700
BASE = (INSIDE / "packages.txt", INSIDE / "prepare.sh")
RECIPE = (INSIDE / "agent.py", Path(__file__))
INSTRUCTIONS = ROOT / "packaging" / "README.md"
IN_TREE = ("unshare", "--mount", "sh", "-c", 'mount -t proc proc "$0/proc" && exec chroot "$0" sh')
"""A shell in the tree that is named behind it, with /proc, which systemd-tmpfiles needs; its mount ends with it."""

NOT_ON_THE_DISK = ("tests/", "docs/")

Tell = Callable[[str], None]


class ImageFailed(Exception):
    """A step failed; the text says which, and what it said."""


class Image:
    """In the directory ``cache``."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._base = cache / f"debian-{_digest(BASE)}"

    @cached_property
    def disk(self) -> Path:
        """Raw, with an ext4 and no partitions."""
        return self._cache / f"disk-{_digest((*BASE, *RECIPE, *(ROOT / name for name in _files())))}.raw"

    @property
    def kernel(self) -> Path:
        """QEMU loads it; there is no boot loader."""
        return self.disk.with_suffix(".vmlinuz")

    @property
    def initrd(self) -> Path:
        """Made last: where it is, all is."""
        return self.disk.with_suffix(".initrd")

    @property
    def is_there(self) -> bool:
        """Whether there is nothing left to do."""
        return self.initrd.exists()

    def make(self, tell: Tell) -> None:
        """Make what is not there; raises `ImageFailed`."""
        if self.is_there:
            return
        self._cache.mkdir(parents=True, exist_ok=True)
        if not self._base.exists():
            tell(f"debootstrap {SUITE} (once a cache) …")
            self._debootstrap()
        tree = self._cache / "tree"
        self._remove(tree)
        tell("installing powerd as packaging/README.md says …")
        run("cp", "--archive", "--reflink=auto", str(self._base), str(tree))
        self._install(tree)
        tell("making the disk …")
        for old in self._cache.glob("disk-*"):
            old.unlink()
        run("mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(self.disk), f"{DISK_MIB}M")
        shutil.copy(next((tree / "boot").glob("vmlinuz-*")), self.kernel)
        shutil.copy(next((tree / "boot").glob("initrd.img-*")), self.initrd)
        for path in (self.disk, self.kernel, self.initrd):
            path.chmod(0o644)
        self._remove(tree)

    def _debootstrap(self) -> None:
        begun = self._base.with_suffix(".begun")
        self._remove(begun)
        packages = ",".join((INSIDE / "packages.txt").read_text().split())
        run("debootstrap", "--variant=minbase", f"--include={packages}", SUITE, str(begun))
        run(*IN_TREE, str(begun), stdin=(INSIDE / "prepare.sh").read_text())
        begun.rename(self._base)

    def _install(self, tree: Path) -> None:
        wheels = tree / "wheels"
        wheels.mkdir()
        version = run("chroot", str(tree), "python3", "-c", "import platform; print(platform.python_version())").strip()
        needed = tree / "run.lock"
        needed.write_text(locked_for(version, (ROOT / "requirements" / "run.lock").read_text()))
        run(
            *(str(Path(sys.base_prefix) / "bin" / "python3"), "-m", "pip", "download", "--quiet", "--require-hashes"),
            *("--only-binary=:all:", "--python-version", version, "--implementation", "cp"),
            *("--dest", str(wheels), "--requirement", str(needed)),
        )
        needed.unlink()
        checkout = tree / "opt" / "powerd"
        for name in _files():
            target = checkout / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        inside = tree / "inside"
        inside.mkdir()
        (inside / "NODE_KEY_FILE").write_text("each machine has its own\n")
        run(*IN_TREE, str(tree), stdin=f"set -eu\nexport PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels\n{installation()}")
        agent = tree / "usr" / "local" / "lib" / "machine" / "agent.py"
        agent.parent.mkdir()
        shutil.copy(INSIDE / "agent.py", agent)
        shutil.rmtree(wheels)
        shutil.rmtree(inside)

    def _remove(self, tree: Path) -> None:
        shutil.rmtree(tree, ignore_errors=True)


def installation() -> str:
    """The commands of the instructions, but those that need a network, or a system that runs."""
    text = INSTRUCTIONS.read_text().partition("## On another host with systemd")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines()]
    kinds = ("umask", "cd ", "ln ", ".venv/", "install ", "systemd-", "systemctl")
    done = [line for line in commands if line.startswith(kinds)]
    done.remove("systemctl daemon-reload")
    return "\n".join(line.replace(" --now", "").replace("NODE_KEY_FILE", "/inside/NODE_KEY_FILE") for line in done)


def locked_for(version: str, lock: str) -> str:
    """Those pins of a lock file that Linux with this version of Python needs, without their markers.

    ``pip download --python-version`` chooses wheels for that version, but judges markers by its own.
    """
    machine = {
        "python_full_version": version,
        "python_version": ".".join(version.split(".")[:2]),
        "sys_platform": "linux",
        "platform_system": "Linux",
    }

    def pin(entry: str) -> str:
        first, _, hashes = entry.partition("\n")
        requirement, _, marker = first.removesuffix(" \\").partition(" ; ")
        if marker and not Marker(marker).evaluate(machine):
            return ""
        return f"{requirement} \\\n{hashes}"

    return "".join(pin(entry) for entry in re.split(r"^(?=\S)", lock, flags=re.MULTILINE) if entry)


def write_into(disk: Path, files: Iterable[tuple[str, Path]]) -> None:
    """Put files (root's, each with the mode it has here) into a disk that no machine uses, without mounting it."""
    commands = [line for path, source in files for line in (f"rm {path}", f"write {source} {path}")]
    written = run("debugfs", "-w", "-f", "-", str(disk), stdin="\n".join(commands) + "\n")
    if "No such file" in written.replace("rm: File not found", ""):
        raise ImageFailed(f"debugfs: {written}")


def run(*command: str, stdin: str = "") -> str:
    """What it prints on standard output."""
    environment = {**os.environ, "LC_ALL": "C", "PATH": f"{os.environ.get('PATH', os.defpath)}:{ADMIN_PATH}"}
    ended = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=environment)
    if ended.returncode:
        last = "\n".join((ended.stdout + ended.stderr).splitlines()[-20:])
        raise ImageFailed(f"{command[0]} failed (exit code {ended.returncode}):\n{last}")
    return ended.stdout


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256(SUITE.encode())
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _files() -> list[str]:
    """What a clone would hold, with what is not committed yet."""
    listed = run("git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard")
    return sorted(
        name for name in listed.splitlines() if not name.startswith(NOT_ON_THE_DISK) and (ROOT / name).is_file()
    )
