"""The wheel: built from what git knows, installed into a clean environment, run from there."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from app.entrypoints.demo.installation import program
from release.checkout import ROOT, Checkout, run

PACKAGING = ROOT / "packaging"


COMMIT = "0123456789ab"
BACKEND = "import sys, setuptools.build_meta as backend; backend.build_{}(sys.argv[1])"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made as ``python -m build`` and pip make it: a source distribution, and from that, without git, the wheel."""
    work = tmp_path_factory.mktemp("wheel")
    Checkout().export(work / "checkout")
    run(
        *(sys.executable, "-c", BACKEND.format("sdist"), str(work)),
        directory=work / "checkout",
        POWERD_COMMIT=COMMIT,
    )
    # Not by tarfile: Debian 12's Python 3.11.2 has no filters, and a newer one warns where none is given.
    run("tar", "-xf", str(next(work.glob("*.tar.gz"))), directory=work)
    run(sys.executable, "-c", BACKEND.format("wheel"), str(work), directory=next(work.glob("powerd-*/")))
    return next(work.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing but the wheel, and the packages it needs; its directory of programs."""
    directory = tmp_path_factory.mktemp("environment")
    venv.EnvBuilder(with_pip=False, symlinks=True).create(directory)
    python = directory / "bin" / "python"
    run(
        *(str(Path(sys.base_prefix) / "bin" / "python3"), "-m", "pip", "--python", str(python), "install"),
        *("--quiet", "--no-index", "--no-deps", "--no-compile", "--disable-pip-version-check", str(wheel)),
    )
    # A .pth inside of what it names is not read: the editable powerd of these packages is not seen.
    site = next(directory.glob("lib/python3*/site-packages"))
    (site / "needed.pth").write_text(sysconfig.get_path("platlib") + "\n")
    return directory / "bin"


def said(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *arguments], cwd="/", env={}, capture_output=True, text=True, check=False)


def test_it_says_its_version_and_the_commit_that_it_was_built_from(installed: Path) -> None:
    assert said(installed / "powerd", "--version").stdout == f"powerd {Checkout().version} (commit {COMMIT})\n"


def test_a_checkout_says_its_own_commit() -> None:
    assert said(Path(program("powerd")), "--version").stdout.endswith(f" (commit {Checkout().commit})\n")


def test_its_commands_run_from_its_own_files(installed: Path) -> None:
    where = said(installed / "python", "-c", "import app; print(app.__file__)").stdout
    assert Path(where).is_relative_to(installed.parent)
    assert said(installed / "powerd", "simulate", "--nodes", "4", "--hours", "1").returncode == 0


def test_it_holds_every_file_of_the_program_and_of_packaging(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as held:
        names = set(held.namelist())
    of_program = {name for name in Checkout().files() if name.startswith("app/")}
    assert of_program - names == set()
    assert {name for name in names if name.startswith("app/")} - of_program == {"app/commit.txt"}
    data = {name.partition("/data/share/powerd/")[2] for name in names if "/data/" in name}
    of_packaging = {path.relative_to(PACKAGING).as_posix() for path in PACKAGING.rglob("*") if path.is_file()}
    assert data == {name for name in of_packaging if name.partition("/")[0] not in ("README.md", "debian", "ansible")}


def test_a_command_that_needs_an_extra_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys; sys.modules['websockets'] = None; from app.entrypoints.{} import main; main()"
    for module, words in (("devchain.program", ()), ("powerd.cli", ("demo",))):
        ended = said(Path(sys.executable), "-c", program.format(module), *words)
        assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
        assert "install powerd[demo] with pip" in ended.stderr
