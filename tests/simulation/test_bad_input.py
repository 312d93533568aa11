"""Bad input: a message that names the file, the line and the remedy, and no run."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from app.entrypoints.powerd.cli import main

FARM = """
[[farm]]
id = 1

[[farm.node]]
id = 11
mac = "52:54:00:00:00:0b"
boot_s = 60.0

[[farm.node]]
id = 12
mac = "52-54-00-00-00-0C"
"""


def complaint(*arguments: str) -> str:
    size = [] if "--farm-file" in arguments else ["--nodes", "3", "--farms", "1"]
    done = CliRunner().invoke(main, ["simulate", "--hours", "1", *size, *arguments])
    assert done.exit_code in (1, 2), done.output
    assert done.output.startswith("powerd: ")
    assert len(done.output.splitlines()) == 1, "one line, no traceback"
    return done.output.removeprefix("powerd: ").strip()


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("id = 12", "id = 11"), 11, "node id 11 is given twice (it is also that of line 6); give each node id once"),
        (
            ("52-54-00-00-00-0C", "52:54:00:00:00:0B"),
            12,
            "MAC 52:54:00:00:00:0b is given twice (it is also that of line 7)",
        ),
        (
            (FARM, f"{FARM}[[farm]]\nid = 1\n[[farm.node]]\nid = 1\n"),
            14,
            "farm id 1 is given twice (it is also that of line 3)",
        ),
        ((FARM, f"{FARM}[[farm]]\nid = 11\n[[farm.node]]\nid = 12\n"), 16, "node id 12 is given twice"),
        (("boot_s = 60.0", "boot_s = -60.0"), 8, "boot_s has to be more than 0"),
        (("boot_s", "bot_s"), 8, "there is no key 'bot_s' here; did you mean boot_s?"),
        (('mac = "52-54-00-00-00-0C"', 'mac = "52"'), 12, "is not a MAC address such as"),
        (("id = 12", 'id = 12\ntarget = "Sideways"'), 12, "write Up or Down"),
        (("id = 12", "id = "), 11, "is no TOML"),
        ((FARM, f"{FARM}\n[settings.wake]\npackets = [1]\n"), 0, "wake.packets: has to be a whole number"),
        ((FARM, f"{FARM}\n[settings.wake]\npakets = 1\n"), -1, "sets wake.pakets, which is no setting"),
        ((FARM, ""), 0, "[[farm]] with an id is missing; `powerd simulate --example` shows a farm file"),
        ((FARM, "[[farm]]\nid = 1\nnode = []"), 0, "has no nodes"),
        ((FARM, "[[farm]]\nid = 1\nnode = 1\n"), 3, "node is written as [[farm.node]] with an id, below its [[farm]];"),
        ((FARM, "[[farm]]\nid = 1\n"), 0, "[[farm.node]] with an id, below its [[farm]], is missing"),
    ],
)
def test_a_farm_file(tmp_path: Path, change: tuple[str, str], line: int, says: str) -> None:
    path = tmp_path / "farm.toml"
    path.write_text(FARM.replace(*change))
    message = complaint("--farm-file", str(path))
    assert message.startswith({0: f"{path}: ", -1: f"{path} "}.get(line, f"{path}:{line}: ")), message
    assert says in message


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("at_s,farm,slots,for_s\n0,1,2,600\n60,1,2", 3, "is the line torn?"),
        ("at_s,farm,slots,for_s\n-5,1,2,600\n", 2, "at_s"),
        ("at_s,farm,slots,for_s\n5,1,two,600\n", 2, "slots"),
        ("when,farm,slots,for_s\n", 1, "it has to name at_s,farm,slots,for_s"),
        ("", 1, "the header names"),
        ("at_s,farm,slots,for_s\n5,7,2,600\n", 0, "there is no farm 7"),
    ],
)
def test_a_trace(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(text)
    message = complaint("--trace", str(path))
    assert message.startswith(f"{path}:{line}: " if line else f"{path}: "), message
    assert says in message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("at_s,node,target\n60,1,Sideways\n", ":2: target is 'Sideways'; write Up or Down"),
        ("at_s,node,target\n60,99,Up\n", "there is no node 99"),
    ],
)
def test_a_script(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "script.csv"
    path.write_text(text)
    assert says in complaint("--policy", f"script:{path}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("at_s,kind,subject\n60,earthquake,all\n", ":2: unknown fault 'earthquake'; known: "),
        ("at_s,kind,subject,for_s\n60,chain-away,node 99,10\n", "is about 'node 99', which these farms do not have"),
        ("at_s,kind,subject,for_s\n3000,chain-away,node 1,10\n", "give more --hours"),
        ("at_s,kind,subject,for_s\n60,packets-lost,farm 1,10\n", "does nothing without an amount"),
        ("at_s,kind,subject,for_s,amount\n60,packets-lost,farm 1,10,7\n", "made-up ones have 0.3 … 1"),
        (
            "at_s,kind,subject,for_s,amount\n60,clock-drift,node 1,10,nan\n",
            "amount has to be -1000000 or more, and is 'nan'",
        ),
    ],
)
def test_a_list_of_faults(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "faults.csv"
    path.write_text(text)
    assert says in complaint("--faults", f"file:{path}")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["--policy", "alwayson"],
            "unknown policy 'alwayson' (did you mean always-on?); known: always-on, bot, script",
        ),
        (["--policy", "script"], "Write script:FILE"),
        (["--policy", "script:/no/such.csv"], "/no/such.csv: can't be read: No such file or directory"),
        (["--faults", "heavy"], "unknown level of faults 'heavy'"),
        (["--faults", "many:reorg"], "unknown fault 'reorg' (did you mean reorganisation?)"),
        (["--nodes", "2", "--farms", "3"], "2 nodes can't be shared among 3 farms"),
        (["--only-faults", "1"], "there is no fault number 1; this plan has 0"),
        (["--only-faults", "one"], "is no list of numbers such as 3,7, nor none"),
        (["--only-faults", ","], "is no list of numbers"),
        (["--set", "wake.packets"], "write KEY=VALUE"),
        (["--set", "wake.packets=many"], "wake.packets"),
        (["--set", "wake.paquets=3"], "wake.paquets"),
        (["--set", "power_management.follow_up_s=nan"], "follow_up_s"),
    ],
)
def test_the_command_line(arguments: list[str], says: str) -> None:
    assert says in complaint(*arguments)


def test_a_number_that_is_none_is_refused_with_its_option() -> None:
    done = CliRunner().invoke(main, ["simulate", "--load", "nan"])
    assert done.exit_code == 2
    assert "Invalid value for '--load': 'nan' is no number from 0 to 1" in done.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--days", "1e9"], "'1e9' is no number from 0.01 to 366"),
        (["--hours", "1e-9"], "'1e-9' is no number from 0.1 to 8784"),
        (["--nodes", "some"], "'some' is no whole number from 1 to 1000000"),
        (["--seed", "x"], "'x' is no whole number"),
    ],
)
def test_a_value_of_an_option_is_refused_with_the_values_that_are_allowed(arguments: list[str], says: str) -> None:
    done = CliRunner().invoke(main, ["simulate", *arguments])
    assert done.exit_code == 2
    assert f"Invalid value for '{arguments[0]}': {says}" in done.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--explored", "3", "--seed", "4"], "--explored says it already: leave out --seed"),
        (["--from-chain", "--nodes", "4"], "--from-chain says it already: leave out --nodes"),
        (["--farm", "1"], "add --from-chain"),
    ],
)
def test_an_option_that_would_be_ignored(arguments: list[str], says: str) -> None:
    done = CliRunner().invoke(main, ["simulate", *arguments])
    assert done.exit_code == 2
    assert says in done.output
