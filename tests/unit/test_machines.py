"""What can be tested of `make machines` without booting one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from release.site_packages import locked_for
from tests.machines.needs import missing
from tests.machines.repertoire import LONG, SCENES
from tests.machines.segment import Segment, calls

ROOT = Path(__file__).resolve().parents[2]
MAC = "52:54:00:12:34:56"
PACKET = b"\xff" * 6 + bytes.fromhex("525400123456") * 16


def test_what_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    git = tmp_path / "git"
    git.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tests.machines.needs.ADMIN_PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    lines = missing(lambda: False)
    assert lines[0] == "qemu-system-x86_64 (Debian: apt-get install qemu-system-x86)"
    assert any(line.startswith("root, for debootstrap") for line in lines)
    # With an image, neither root nor debootstrap is needed.
    assert [line.split()[0] for line in missing(lambda: True)] == ["qemu-system-x86_64", "debugfs"]


def test_a_host_that_lacks_something_gets_one_line_and_exit_code_2(tmp_path: Path) -> None:
    program = (
        "import sys, tests.machines.needs as needs; needs.ADMIN_PATH = '';"
        "from tests.machines.__main__ import main; sys.exit(main())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": str(tmp_path), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("machines: this machine lacks qemu-system-x86_64 (Debian: apt-get install")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        (PACKET, True),
        (b"\xff" * 12 + PACKET + b"rest", True),
        (PACKET[:-1], False),
        (PACKET.replace(b"\x56", b"\x57"), False),
        (b"", False),
    ],
)
def test_the_firmware_wakes_for_its_own_magic_packet_alone(payload: bytes, wanted: bool) -> None:
    segment = Segment(MAC)
    segment.datagram_received(payload, ("127.0.0.1", 1))
    assert calls(payload, MAC) is wanted
    assert segment.called.is_set() is wanted


def test_the_document_names_every_scene() -> None:
    text = (ROOT / "docs" / "machines.md").read_text()
    assert [name for name in SCENES if f"| `{name}` |" not in text] == []
    assert set(LONG) <= set(SCENES)


def test_every_scene_that_a_document_names_is_there() -> None:
    named = re.findall(r"`M/([\w-]+)`", (ROOT / "docs" / "reliability.md").read_text())
    assert named
    assert [name for name in named if name not in SCENES] == []


def test_a_machine_gets_the_pins_of_its_own_python_and_not_of_the_hosts() -> None:
    lock = (ROOT / "requirements" / "run.lock").read_text()
    old, new = locked_for("3.11.2", lock), locked_for("3.11.3", lock)
    assert "async-timeout==" in old
    assert "async-timeout==" not in new
    for pins in (old, new):
        assert " ; " not in pins
        assert "win-inet-pton" not in pins
        assert pins.count("==") < pins.count("--hash=sha256:")
