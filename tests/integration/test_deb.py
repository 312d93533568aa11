"""The .deb by what is in it; `make deb-test` installs, upgrades and purges a real one (docs/releasing.md)."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from release.checkout import ROOT, BuildFailed, Checkout
from release.control import debian_version
from release.deb import PLACES, SITE, build_deb
from tests.rigs.needs import missing

PACKAGING = ROOT / "packaging"
DEBIAN = PACKAGING / "debian"


def needs_dpkg_deb() -> None:
    if not shutil.which("dpkg-deb"):
        missing("dpkg-deb (Debian: apt-get install dpkg)")


def pretend_packages(site: Path) -> None:
    """In the place of the locked ones, which need a network: each kind of file that a wheel has."""
    for name in ("click/core.py", "click/core.pyi", "dependency_injector/containers.c", "websocket/tests/a.py"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).touch(mode=0o755)
    (site / "_cffi_backend.cpython-311-x86_64-linux-gnu.so").touch()
    (site / "cffi").mkdir()


@pytest.fixture(scope="module")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs_dpkg_deb()
    return build_deb(Checkout(), tmp_path_factory.mktemp("deb"), lambda _: None, pretend_packages)


@pytest.fixture(scope="module")
def unpacked(deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("unpacked") / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", deb, directory], check=True)
    return directory


def field(deb: Path, name: str) -> str:
    asked = subprocess.run(["dpkg-deb", "--field", deb, name], capture_output=True, text=True, check=True)
    return asked.stdout.strip()


def test_a_build_that_is_no_release_is_older_than_the_release(deb: Path) -> None:
    version = field(deb, "Version")
    assert version == debian_version(Checkout())
    assert Checkout().commit.replace("-", ".") in version
    relation = ["dpkg", "--compare-versions", version, "lt", f"{Checkout().version}-1"]
    assert subprocess.run(relation, check=False).returncode == 0


def test_the_notes_of_the_version_are_its_section_of_the_changelog(tmp_path: Path) -> None:
    assert Checkout().notes().startswith("The first version.")
    (tmp_path / "app").mkdir()
    shutil.copy(ROOT / "app" / "__init__.py", tmp_path / "app")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 0.0.9 — 2026-01-01\n\nOld.\n")
    with pytest.raises(BuildFailed, match="has no section"):
        Checkout(tmp_path).notes()


def test_each_file_of_packaging_is_where_systemd_udev_and_polkit_look_for_it(unpacked: Path) -> None:
    for source, place in PLACES.items():
        for path in (ROOT / source).rglob("*"):
            if path.is_file():
                installed = unpacked / place / path.relative_to(ROOT / source)
                assert installed.read_bytes() == path.read_bytes()
    assert (unpacked / "usr/lib/systemd/system-shutdown/powerd-wake").stat().st_mode & 0o777 == 0o755


def test_only_the_programs_and_the_scripts_of_dpkg_can_be_executed_and_all_can_be_read(unpacked: Path) -> None:
    files = [path for path in unpacked.rglob("*") if path.is_file() and not path.is_symlink()]
    modes = {path.relative_to(unpacked).as_posix(): path.stat().st_mode & 0o777 for path in files}
    assert {name for name, mode in modes.items() if mode == 0o755} == {
        *("usr/lib/powerd/bin/powerd", "usr/lib/systemd/system-shutdown/powerd-wake"),
        *("DEBIAN/postinst", "DEBIAN/prerm", "DEBIAN/postrm"),
    }
    assert set(modes.values()) == {0o755, 0o644}


def test_the_program_has_an_environment_of_its_own(unpacked: Path) -> None:
    assert (unpacked / "usr/bin/powerd").readlink() == Path("../lib/powerd/bin/powerd")
    launcher = (unpacked / "usr/lib/powerd/bin/powerd").read_text()
    # -I: no package of the host, of the user or of the working directory comes before its own.
    assert launcher.startswith("#!/usr/lib/powerd/bin/python3 -I\n")
    assert "include-system-site-packages = false" in (unpacked / "usr/lib/powerd/pyvenv.cfg").read_text()
    assert (unpacked / SITE / "app/commit.txt").read_text() == Checkout().commit


def test_it_brings_man_pages_and_what_completes_commands_in_each_shell(unpacked: Path) -> None:
    pages = {path.name for path in (unpacked / "usr/share/man/man1").iterdir()}
    assert {"powerd.1.gz", "powerd-farm-down.1.gz", "powerd-hold-add.1.gz"} < pages
    for place in ("bash-completion/completions/powerd", "zsh/vendor-completions/_powerd"):
        assert "powerd" in (unpacked / "usr/share" / place).read_text()
    assert (unpacked / "usr/share/fish/vendor_completions.d/powerd.fish").is_file()


def test_what_is_never_read_is_left_out(unpacked: Path) -> None:
    names = {path.relative_to(unpacked / SITE).as_posix() for path in (unpacked / SITE).rglob("*")}
    assert "click/core.py" in names
    assert {name for name in names if re.search(r"\.(c|pyi|pyx)$|/tests$|^cffi$|/RECORD$", name)} == set()
    assert {"_cffi_backend.cpython-311-x86_64-linux-gnu.so"} < names


def test_the_settings_are_kept_by_an_upgrade_and_power_management_is_off_at_first(unpacked: Path) -> None:
    assert (unpacked / "DEBIAN/conffiles").read_text() == "/etc/powerd/powerd.toml\n"
    from app.entrypoints.settings.loading import load_settings

    settings = load_settings(unpacked / "etc/powerd/powerd.toml", {}, {})
    assert not settings.power_management.enabled


def test_each_setting_that_the_file_only_suggests_is_one_that_powerd_takes(tmp_path: Path) -> None:
    from app.entrypoints.settings.loading import load_settings

    text = (DEBIAN / "powerd.toml").read_text()
    suggested = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    assert suggested != text
    (tmp_path / "powerd.toml").write_text(suggested)
    settings = load_settings(tmp_path / "powerd.toml", {}, {})
    assert (settings.nic.bridge, settings.magic_packets.interface) == ("br0", "br0")


@pytest.mark.parametrize("name", ["postinst", "prerm", "postrm"])
def test_the_shell_takes_the_scripts_of_dpkg(name: str) -> None:
    assert subprocess.run(["sh", "-n", DEBIAN / name], check=False).returncode == 0
    text = (DEBIAN / name).read_text()
    assert text.startswith("#!/bin/sh\nset -e\n")
    # Bare, they would act on the machine that a chroot is prepared on, and past the administrator's policy.
    assert not re.search(r"^\s*systemctl (--\S+ )*(start|stop|restart|enable)\b", text, re.MULTILINE)


def stand_in(machine: Path, name: str, script: str) -> None:
    """A program of the machine that a script of dpkg runs on."""
    (machine / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
    (machine / "bin" / name).chmod(0o755)


@pytest.mark.parametrize(("compiles", "complaint"), [(True, ""), (False, "is the disk full?")])
def test_what_ran_before_an_upgrade_runs_again_on_a_full_disk_too(
    tmp_path: Path, compiles: bool, complaint: str
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "stopped").write_text("powerd.service\n")
    text = (DEBIAN / "postinst").read_text().replace("/run/systemd/system", str(tmp_path))
    text = text.replace("/run/powerd-stopped-by-dpkg", f"{tmp_path}/stopped").replace("/usr/lib/powerd", str(tmp_path))
    for name in ("systemd-sysusers", "systemd-tmpfiles", "deb-systemd-helper", "systemctl", "udevadm"):
        stand_in(tmp_path, name, "exit 0")
    stand_in(tmp_path, "python3", "exit 0" if compiles else "echo No space left on device; exit 1")
    stand_in(tmp_path, "deb-systemd-invoke", f'echo "$@" >>{tmp_path}/invoked')
    environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}
    done = subprocess.run(
        ["sh", "-c", text, "postinst", "configure", "0.1.0-1"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert complaint in done.stderr
    assert (tmp_path / "invoked").read_text() == "start powerd.service\n"
    assert not (tmp_path / "stopped").exists()


class TestPrerm:
    """With stand-ins of systemctl and deb-systemd-invoke that write down how they were called."""

    @pytest.fixture
    def machine(self, tmp_path: Path) -> Path:
        (tmp_path / "bin").mkdir()
        (tmp_path / "system").mkdir()
        return tmp_path

    def run(self, machine: Path, action: str, *, state: str, active: str = "powerd.service") -> tuple[str, str]:
        """What was stopped, and what the upgrade's postinst finds to start."""
        text = (DEBIAN / "prerm").read_text()
        for place, here in (
            ("/run/systemd/system", machine / "system"),
            ("/run/powerd-stopped-by-dpkg", machine / "stopped"),
            ("/usr/lib/powerd", machine),
        ):
            text = text.replace(place, str(here))
        # A daemon that still waits for the chain is on its way, too.
        answers = f'case $1 in is-system-running) echo {state};; show) [ "$5" = {active} ] && echo activating;; esac'
        stand_in(machine, "systemctl", answers)
        stand_in(machine, "deb-systemd-invoke", f'echo "$@" >>{machine}/invoked')
        environment = {"PATH": f"{machine}/bin:/usr/bin:/bin"}
        subprocess.run(["sh", "-c", text, "prerm", action], check=True, env=environment)
        said = [machine / "invoked", machine / "stopped"]
        return tuple(path.read_text() if path.exists() else "" for path in said)  # type: ignore[return-value]

    def test_an_upgrade_stops_what_runs_before_files_change_and_remembers_it(self, machine: Path) -> None:
        assert self.run(machine, "upgrade", state="running") == ("stop powerd.service\n", "powerd.service\n")

    def test_a_shutdown_that_systemd_carries_out_is_left_alone(self, machine: Path) -> None:
        assert self.run(machine, "upgrade", state="stopping") == ("", "")

    def test_a_removal_remembers_nothing(self, machine: Path) -> None:
        assert self.run(machine, "remove", state="degraded") == ("stop powerd.service\n", "")

    def test_modules_that_postinst_compiled_go_with_the_others(self, machine: Path) -> None:
        cache = machine / "lib" / "app" / "__pycache__"
        cache.mkdir(parents=True)
        self.run(machine, "remove", state="running")
        assert not cache.exists()
