"""The package for Debian: the tree of its files, and the .deb that dpkg-deb makes of it."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from release.checkout import ROOT, Checkout, run
from release.control import changelog, conffiles, control, debian_version, installed_kib, md5sums
from release.site_packages import fill, prune
from release.wheel import build_wheel

PYTHON = "3.11.2"
"""Of Debian 12. Compiled packages are for one minor version of Python."""

MINOR = PYTHON.rpartition(".")[0]
LIB = Path("usr/lib/powerd")
SITE = LIB / f"lib/python{MINOR}/site-packages"
DOC = Path("usr/share/doc/powerd")

PLACES: Mapping[str, str] = {
    "packaging/systemd": "usr/lib/systemd/system",
    "packaging/systemd-shutdown": "usr/lib/systemd/system-shutdown",
    "packaging/sysusers.d": "usr/lib/sysusers.d",
    "packaging/tmpfiles.d": "usr/lib/tmpfiles.d",
    "packaging/udev": "usr/lib/udev/rules.d",
    "packaging/polkit": "usr/share/polkit-1/rules.d",
    "packaging/prometheus": "usr/share/powerd/prometheus",
    "packaging/grafana": "usr/share/powerd/grafana",
}
"""Where each directory of packaging/ goes."""

SCRIPTS = ("postinst", "prerm", "postrm")

EXECUTABLE = (
    "usr/lib/powerd/bin/powerd",
    "usr/lib/systemd/system-shutdown/powerd-wake",
    *(f"DEBIAN/{name}" for name in SCRIPTS),
)
"""No other file of the package is."""

PYVENV = f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {PYTHON}\n"

LAUNCHER = """\
#!/usr/lib/powerd/bin/python3 -I
import os
import sys

if os.path.exists("/etc/powerd/powerd.toml"):
    os.environ.setdefault("POWERD_CONFIG", "/etc/powerd/powerd.toml")

from app.entrypoints.powerd.program import main

sys.exit(main())
"""

COMPLETIONS: Mapping[str, str] = {
    "bash": "usr/share/bash-completion/completions",
    "zsh": "usr/share/zsh/vendor-completions",
    "fish": "usr/share/fish/vendor_completions.d",
}
"""Where each shell looks for what completes a command."""

Packages = Callable[[Path], None]
Say = Callable[[str], None]


def build_deb(checkout: Checkout, directory: Path, say: Say, packages: Packages | None = None) -> Path:
    """The .deb's path in ``directory``; the same to the byte for the same commit and lock file.

    ``packages`` fills the site-packages in the place of `fill`. Raises `BuildFailed`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="powerd-deb-") as work:
        tree = Path(work) / "powerd"
        tree.mkdir()
        say("the Python packages of requirements/run.lock …")
        site = tree / SITE
        site.parent.mkdir(parents=True)
        (packages or _locked(checkout))(site)
        say("powerd itself …")
        _install_wheel(build_wheel(checkout, Path(work) / "wheel"), site)
        prune(site)
        _install_rest(checkout, tree)
        _uniform(tree, checkout.epoch_s)
        _write_control(checkout, tree)
        _uniform(tree, checkout.epoch_s)
        deb = directory / f"powerd_{debian_version(checkout)}_amd64.deb"
        say("dpkg-deb …")
        run(
            *("dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(deb)),
            SOURCE_DATE_EPOCH=str(checkout.epoch_s),
        )
    return deb


def _locked(checkout: Checkout) -> Packages:
    return lambda site: fill(site, (checkout.root / "requirements" / "run.lock").read_text(), PYTHON)


def _install_wheel(wheel: Path, site: Path) -> None:
    """Its modules and metadata; what it has for share/ the package has elsewhere."""
    with zipfile.ZipFile(wheel) as held:
        held.extractall(site, [name for name in held.namelist() if ".data/" not in name])


def _install_rest(checkout: Checkout, tree: Path) -> None:
    for name in checkout.files():
        for source, place in PLACES.items():
            if name.startswith(f"{source}/"):
                _copy(checkout.root / name, tree / place / name.removeprefix(f"{source}/"))
    debian = checkout.root / "packaging" / "debian"
    _copy(debian / "powerd.toml", tree / "etc/powerd/powerd.toml")
    _write(tree / LIB / "pyvenv.cfg", PYVENV)
    (tree / LIB / "bin").mkdir()
    (tree / LIB / "bin/python3").symlink_to(f"../../../bin/python{MINOR}")
    _write(tree / LIB / "bin/powerd", LAUNCHER)
    (tree / "usr/bin").mkdir()
    (tree / "usr/bin/powerd").symlink_to("../lib/powerd/bin/powerd")
    _copy(debian / "copyright", tree / DOC / "copyright")
    _copy(checkout.root / "README.md", tree / DOC / "README.md")
    _copy(checkout.root / "packaging/README.md", tree / DOC / "packaging.md")
    _copy(debian / "lintian-overrides", tree / "usr/share/lintian/overrides/powerd")
    _packed(tree / DOC / "changelog.gz", (checkout.root / "CHANGELOG.md").read_bytes())
    _packed(tree / DOC / "changelog.Debian.gz", changelog(checkout).encode())
    _documents(tree)


def _documents(tree: Path) -> None:
    """Man pages and completions, which programs of this checkout write from the commands themselves."""
    with tempfile.TemporaryDirectory(prefix="powerd-documents-") as written:
        work = Path(written)
        for name in ("man", "completion"):
            run(sys.executable, "-m", f"app.entrypoints.documents.{name}", str(work / name), directory=ROOT)
        for page in sorted((work / "man").iterdir()):
            _packed(tree / f"usr/share/man/man{page.suffix[1:]}" / f"{page.name}.gz", page.read_bytes())
        for shell, place in COMPLETIONS.items():
            for path in sorted((work / "completion" / shell).iterdir()):
                _copy(path, tree / place / path.name)


def _write_control(checkout: Checkout, tree: Path) -> None:
    kib = installed_kib(tree)
    texts = {"md5sums": md5sums(tree), "conffiles": conffiles(tree), "control": control(checkout, MINOR, kib)}
    (tree / "DEBIAN").mkdir()
    for name, text in texts.items():
        _write(tree / "DEBIAN" / name, text)
    for name in SCRIPTS:
        _copy(checkout.root / "packaging/debian" / name, tree / "DEBIAN" / name)


def _uniform(tree: Path, epoch_s: int) -> None:
    """No file of a package depends on who built it, when, and with which umask."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.relative_to(tree).as_posix() in EXECUTABLE
            path.chmod(0o755 if executable else 0o644)
    for path in (*tree.rglob("*"), tree):
        os.utime(path, (epoch_s, epoch_s), follow_symlinks=False)


def _copy(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target


def _write(target: Path, text: str) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    return target


def _packed(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(content, mtime=0))
