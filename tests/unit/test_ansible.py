"""The Ansible role: its linter, and the settings that it writes."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from app.entrypoints.settings.loading import load_settings
from app.entrypoints.settings.schema import Settings

PLAYBOOKS = Path(__file__).resolve().parents[2] / "packaging" / "ansible"
ROLE = PLAYBOOKS / "roles" / "powerd"

LINT_S = 110


def test_its_linter_finds_nothing() -> None:
    """Not a need of `make check`: it would bring all of Ansible into the environment."""
    if not shutil.which("ansible-lint"):
        pytest.skip("needs ansible-lint on the PATH (pipx install ansible-lint)")
    linted = subprocess.run(
        ["ansible-lint", "--offline", "--profile", "production", "site.yml", "roles"],
        cwd=PLAYBOOKS,
        capture_output=True,
        text=True,
        check=False,
        timeout=LINT_S,
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


def read(name: str) -> Any:
    return yaml.safe_load((ROLE / name).read_text())


def written(directory: Path, **variables: object) -> Settings:
    """What powerd reads of the file that the role writes."""
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined, autoescape=False)

    def combine(over: Mapping[str, Any], more: Mapping[str, Any], recursive: bool) -> dict[str, Any]:
        assert recursive
        return {name: {**over.get(name, {}), **more.get(name, {})} for name in [*over, *(set(more) - set(over))]}

    environment.filters |= {"combine": combine, "to_json": json.dumps, "bool": bool}
    given = {**read("defaults/main.yml"), "ansible_managed": "by Ansible", **variables}
    given["powerd_interfaces"] = [given["powerd_bridge"]]
    text = environment.from_string((ROLE / "templates/powerd.toml.j2").read_text()).render(given)
    (directory / "powerd.toml").write_text(text)
    return load_settings(directory / "powerd.toml", {}, {})


def test_the_settings_that_it_writes_are_those_of_its_variables(tmp_path: Path) -> None:
    settings = written(
        tmp_path,
        powerd_chain_urls=["wss://one.example", "wss://two.example"],
        powerd_bridge="br1",
        powerd_settings={"wake": {"packets": 12}, "nic": {"wake_modes": "magic"}},
    )
    assert list(settings.chain.urls) == ["wss://one.example", "wss://two.example"]
    assert (settings.nic.bridge, settings.nic.wake_modes, settings.wake.packets) == ("br1", "magic", 12)


def test_it_begins_with_power_management_off_as_the_package_does(tmp_path: Path) -> None:
    assert not written(tmp_path, powerd_chain_urls=["wss://one.example"]).power_management.enabled
    on = written(tmp_path, powerd_chain_urls=["wss://one.example"], powerd_power_management=True)
    assert on.power_management.enabled


def test_each_variable_has_a_default_and_is_declared() -> None:
    declared = read("meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert declared.keys() == read("defaults/main.yml").keys()


def test_nodes_are_changed_one_after_the_other() -> None:
    (play,) = yaml.safe_load((PLAYBOOKS / "site.yml").read_text())
    assert (play["serial"], play["max_fail_percentage"]) == (1, 0)
    handled = [task["name"] for task in read("tasks/main.yml")[0]["block"]]
    assert handled[-1] == "Restart now what has to be restarted, before the next node"
