"""A machine of the demo answers as systemd does: once it has taken the order it is stopping."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from app.entrypoints.demo.farm_on_loopback import systemd_settings


def test_it_is_stopping_as_soon_as_the_order_was_heard(tmp_path: Path) -> None:
    machine: Any = SimpleNamespace(button=tmp_path / "button", going_down=tmp_path / "stopping")
    commands: Any = systemd_settings(machine, {"key_file": ""})["host_power"]

    def state() -> str:
        return subprocess.run(commands["state_command"], capture_output=True, text=True, check=True).stdout.strip()

    assert state() == "running"
    subprocess.run(commands["power_off_command"], check=True)
    assert machine.button.read_text() == "off\n"
    assert state() == "stopping"
