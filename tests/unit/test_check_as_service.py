"""``powerd check --service``: the same command, run by systemd as the daemon is."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from app.entrypoints.check import as_service
from app.entrypoints.check.as_service import NotAsService, run_as_service


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with systemd and a node's key, where this process is root; the path of its systemd-run."""
    program = tmp_path / "systemd-run"
    program.write_text("")
    program.chmod(0o755)
    (tmp_path / "node.key").write_text("")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setitem(as_service.PROPERTIES, "LoadCredential", f"node-key:{tmp_path}/node.key")
    return program


def test_systemd_runs_the_same_command_without_the_option(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def replaced(_: str, words: list[str]) -> None:
        raise SystemExit(words)

    monkeypatch.setattr(os, "execvp", replaced)
    with pytest.raises(SystemExit) as end:
        run_as_service([str(host), "check", "--service", "--wake", "7"])
    words = end.value.args[0]
    assert words[0] == "systemd-run"
    assert words[-4:] == [str(host), "check", "--wake", "7"]
    assert "--uid=powerd" in words
    assert [word for word in words if word.startswith("LoadCredential=")]


def test_what_is_missing_is_named_before_anything_runs(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(says: str) -> None:
        with pytest.raises(NotAsService, match=re.escape(says)) as error:
            run_as_service(["powerd", "check", "--service"])
        assert error.value.exit_code == 2

    (host.parent / "node.key").unlink()
    refused("put the key there")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    refused("run it as root")
    host.unlink()
    refused("there is no systemd-run on this host")
