"""What the .deb leaves out of the locked packages is what the program never imports."""

from __future__ import annotations

import re
import subprocess
import sys

from release.checkout import ROOT
from release.site_packages import LEFT_OUT, locked_for, without

LOCK = (ROOT / "requirements" / "run.lock").read_text()

DEV_CHAIN = ("app.entrypoints.devchain", "app.entrypoints.demo")
"""Need the extra "demo", and say so."""

PROGRAM = f"""
import importlib, pkgutil, sys
from importlib.metadata import packages_distributions

gone = set(sys.argv[1:])
modules = {{name for name, owners in packages_distributions().items() if gone & {{owner.lower() for owner in owners}}}}
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in modules - {{"_cffi_backend"}}:
            raise ModuleNotFoundError(f"{{name}} is left out of the .deb", name=name)
sys.meta_path.insert(0, Gone())

import app
for module in pkgutil.walk_packages(app.__path__, "app."):
    if not module.name.startswith({DEV_CHAIN!r}) and not module.name.endswith("__main__"):
        importlib.import_module(module.name)

from app.adapters.substrate.library import Keypair, KeypairType
for kind in (KeypairType.SR25519, KeypairType.ED25519):
    pair = Keypair.create_from_seed("01" * 32, crypto_type=kind)
    assert pair.verify(b"report", pair.sign(b"report"))
print(len(modules))
"""


def pinned() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", LOCK, re.MULTILINE))


def test_the_program_imports_nothing_that_is_left_out() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM, *LEFT_OUT], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    # The packages of the environment were found by their names, so that there was something to refuse.
    assert int(ended.stdout) > len(LEFT_OUT) / 2


def test_all_that_is_left_out_is_pinned() -> None:
    assert set(LEFT_OUT) - pinned() == set()


def test_the_rest_of_the_lock_is_what_is_installed() -> None:
    rest = without(LEFT_OUT, locked_for("3.11.2", LOCK))
    assert {"click", "msgspec", "redis", "async-timeout"} < set(re.findall(r"^([a-z0-9-]+)==", rest, re.MULTILINE))
    assert not re.search(r" ; |^win-inet-pton", rest, re.MULTILINE)
    assert rest.count("--hash=") >= rest.count("==")
