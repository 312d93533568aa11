"""Every command that a document shows is run; where that can't be, it is looked at as far as it goes, and why is said.

A farm on a dev chain stands behind them. No daemon, no Redis and no network card are there.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import bootstrap
from app.entrypoints.devchain.cli import main as devchain
from app.entrypoints.powerd.cli import main as powerd
from app.entrypoints.terminal.lazy_commands import loaded
from tests.rigs.chain.as_process import dev_chain
from tests.rigs.documents import ROOT, Command, block, commands, inline_commands
from tests.rigs.program_runs import run

pytestmark = pytest.mark.timeout(180)

PROGRAMS: Mapping[str, click.Command] = {"powerd": powerd, "powerd-devchain": devchain}


@dataclass(frozen=True, slots=True)
class Run:
    """How a command is run: with ``more`` words, ending with one of ``codes``, saying ``says``."""

    more: Sequence[str] = ()
    codes: Sequence[int] = (0,)
    says: str = ""


SMALL = ("--nodes", "4", "--farms", "1", "--hours", "1")
"""A farm of another size than the document's: the later option wins."""

RUNS: Mapping[str, Run] = {
    r"powerd .*check$|powerd check --only": Run(codes=(1, 2), says="broker"),
    r"powerd status( --check)?$": Run(codes=(2,), says="no daemon"),
    r"powerd hold lift": Run(codes=(0, 2)),  # the lines run alone, in any order
    r"powerd hold ": Run(),
    r"powerd farm wake .*--interface br0": Run(codes=(1,), says="no magic packet can be sent on br0"),
    r"powerd farm down 7 --wait": Run(("--timeout", "1s"), codes=(1,), says="its state is not Down after 1 s"),
    r"powerd farm (list|whoami|up|down|minting)": Run(),
    r"powerd simulate compare .*--days": Run(("--days", "2"), codes=(0, 3)),
    r"powerd simulate compare": Run(SMALL),
    r"powerd simulate sweep .*--shard": Run((*SMALL, "--seeds", "1-4")),
    r"powerd simulate sweep": Run((*SMALL, "--seeds", "1")),
    r"powerd simulate --example": Run(says="[[farm"),
    r"powerd simulate .*--days": Run(("--days", "1"), codes=(0, 3)),
    r"powerd simulate --(from-chain|farm-file)": Run(("--hours", "1"), codes=(0, 3)),
    r"powerd simulate --explored": Run(codes=(0, 3)),
    r"powerd simulate": Run(SMALL),
    r"powerd decode": Run(codes=(0, 2)),  # 2: the input is empty here
}
"""By the beginning of the command; the first that fits counts."""

FOR_EVER = "it runs until it is stopped; "
CANNOT: Mapping[str, str] = {
    r"powerd --(config|broker) \S+$": FOR_EVER + "tests/integration/test_whole_farm.py starts the daemon",
    r"powerd events$": FOR_EVER + "tests/integration/test_whole_farm.py starts it",
    r"powerd farm watch": FOR_EVER + "tests/integration/test_farm_watch.py runs it",
    r"powerd check --service": "it needs the host's systemd; tests/unit/test_check_as_service.py says what it runs",
    r"powerd status --watch": FOR_EVER + "the tests of the status run it",
    r"powerd-devchain": FOR_EVER + "all these tests stand on it",
    r"powerd check --(wake|hear|trial)": "it waits for a machine that wakes; the tests of the check run it",
    r"powerd simulate sweep merge": "it needs the files of every shard; tests/simulation/test_shards.py merges some",
    r"powerd simulate sweep .*--scheduler": "it needs a Dask scheduler; tests/simulation runs one",
}
"""Of powerd; each is parsed all the same."""

ELSEWHERE: Mapping[str, str] = {
    "make": "it takes minutes; the task is looked up",
    **dict.fromkeys(
        ("apt-get", "pipx", "uv", "git", "docker", "curl", "ansible-playbook"),
        "it needs a network, or a server that is not here",
    ),
    **dict.fromkeys(
        ("install", "ln", "cd", "umask", "editor", "printf", "systemctl", "systemd-sysusers"),
        "it changes this machine, or asks its systemd; tests/machines runs the installation",
    ),
    **dict.fromkeys(
        ("systemd-tmpfiles", "udevadm", "journalctl", "zinit", "python3", ".venv/bin/python", "chmod"),
        "it changes this machine, or asks its systemd; tests/machines runs the installation",
    ),
}
"""Other programs, and why they are not run. Files of the project that they name are looked up."""

SHOWN = list(dict.fromkeys(command.text for command in commands()))
OF_POWERD = [text for text in SHOWN if text.split()[0] in PROGRAMS]


def test_every_kind_of_command_that_is_known_here_is_shown_somewhere() -> None:
    """What no document shows any more is taken out of the tables."""
    unused = [each for each in (*RUNS, *CANNOT) if not any(re.match(each, text) for text in OF_POWERD)]
    assert [each for each in unused if not each.startswith(("powerd decode", "powerd status --watch"))] == []


# -- powerd ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """A directory with the files that the documents name, and the environment of a farmer and of a node."""
    here = tmp_path_factory.mktemp("docs")
    with dev_chain(nodes=8) as chain:
        shutil.copy(chain.about["farmer"]["key_file"], here / "farmer.key")
        (here / "farm.toml").write_text(CliRunner().invoke(powerd, ["simulate", "--example"]).output)
        (here / "load.csv").write_text("at_s,farm,slots,for_s\n60,1,1,600\n")
        (here / "events.jsonl").write_text(block("docs/minting.md", '{"event":"Initial"'))
        yield (
            here,
            {
                "POWERD_CHAIN_URLS": chain.url,
                "POWERD_FARMER_KEY_FILE": str(here / "farmer.key"),
                "POWERD_IDENTITY_KEY_FILE": chain.about["nodes"][0]["key_file"],
                "POWERD_BROKER_URL": "redis://127.0.0.1:9",
                "POWERD_HOLDS_DIR": str(here / "holds"),
                "POWERD_STATUS_SOCKET": str(here / "status.sock"),
                "XDG_CACHE_HOME": str(here),
                "CHAIN": chain.url,
            },
        )


def filled_in(text: str, chain: str) -> list[str]:
    """With something real in the place of what the reader has to fill in."""
    places = {"wss://CHAIN_ENDPOINT": chain, "FILE": "events.jsonl", "/etc/powerd/powerd.toml": "settings.toml"}
    text = re.sub(r"--start TS --end TS", "--start 1749990000 --end 1750009000", text).replace("$TASK_ID", "3")
    words = shlex.split(text)
    return [places.get(word, word) for word in words]


@pytest.mark.parametrize("text", [text for text in OF_POWERD if not any(re.match(each, text) for each in CANNOT)])
def test_a_command_of_powerd_does_what_the_document_says(
    stage: tuple[Path, Mapping[str, str]], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitting = [run for each, run in RUNS.items() if re.match(each, text)]
    assert fitting, f"say in RUNS how {text!r} is run, or in CANNOT why it can't be"
    here, environment = stage
    monkeypatch.chdir(here)
    (here / "settings.toml").touch()
    command, _, _ = text.partition(" > ")
    _, *arguments = filled_in(command, environment["CHAIN"])
    arguments += fitting[0].more
    if arguments[:2] in (["simulate", "compare"], ["simulate", "sweep"]):  # they start processes of their own
        process = run(*arguments, **environment)
        code, output = process.returncode, process.stdout + process.stderr
    else:
        done = CliRunner().invoke(powerd, arguments, env=dict(environment))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        code, output = done.exit_code, done.output
    assert code in fitting[0].codes, output
    assert "Usage:" not in output
    assert fitting[0].says in output


@pytest.mark.parametrize("text", [text for text in OF_POWERD if any(re.match(each, text) for each in CANNOT)])
def test_a_command_of_powerd_that_can_not_be_run_is_one_that_powerd_takes(text: str) -> None:
    program, *arguments = filled_in(text, "ws://127.0.0.1:9944")
    context: click.Context | None = None
    command = PROGRAMS[program]
    while True:
        context = command.make_context(program, list(arguments), parent=context, resilient_parsing=False)
        left = [*context._protected_args, *context.args]
        if not isinstance(command, click.Group) or not left:
            return
        _, found, arguments = command.resolve_command(context, left)
        assert found is not None
        command = found


@pytest.mark.parametrize("command", list(inline_commands()), ids=str)
def test_a_command_that_a_sentence_names_is_there_with_its_options(command: Command) -> None:
    program, *words = shlex.split(command.text.replace("…", "").replace("'", ""))
    here = PROGRAMS[program]
    known = {option for each in here.params for option in each.opts}
    for word in words:
        if isinstance(here, click.Group) and not word.startswith("-"):
            choices = [here.commands.get(each) for each in word.split("|")]
            if all(choices):
                assert choices[0] is not None
                here = loaded(choices[0])
                known |= {option for each in here.params for option in each.opts}
                continue
        if word.startswith("-") and word != "-":
            assert word.partition("=")[0].split("|")[0].strip("[]") in known | {"-h", "--help"}, str(command)
    assert not isinstance(here, click.Group) or not [word for word in words if word in ("list", "up", "down")]


# -- other programs --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [text for text in SHOWN if text not in OF_POWERD])
def test_a_command_of_another_program_names_files_and_tasks_that_are_there(text: str) -> None:
    program, *words = shlex.split(text)
    assert program in ELSEWHERE, f"say in ELSEWHERE why {text!r} is not run"
    for word in words:
        if word.startswith(("packaging/", "docs/", "app/")) and "VERSION" not in word:
            assert list(ROOT.glob(word)), f"{word} is not there"
    if program == "make":
        tasks = [word for word in words if "=" not in word]
        assert set(tasks) <= {*bootstrap.TASKS, "help", "lock"}
    if "bootstrap.py" in words:
        assert words[words.index("bootstrap.py") + 1] in bootstrap.TASKS
    if "powerd" in words[1:] and program == "docker":
        inside = words[words.index("powerd") + 1 :]
        done = CliRunner().invoke(powerd, [*inside, "--help"])
        assert done.exit_code == 0, done.output
