"""What the documents say has to be there."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import pytest

from app.entrypoints.settings.keys import keys

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), ROOT / "packaging/README.md", *(ROOT / "docs").rglob("*.md")])
RULES = ROOT / "docs/rules.md"
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
ANCHOR = re.compile(r"\]\(([^)#:]*)#([^)]*)\)")


def without_code(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """Those that GitHub makes of headings: lower case, no punctuation, hyphens for blanks, a number for the second."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.*?) *$", without_code(text), re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("\\", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        number = next(number for number in count() if (f"{slug}-{number}" if number else slug) not in found)
        found.add(f"{slug}-{number}" if number else slug)
    return found


def test_every_anchor_that_a_document_links_to_is_a_heading_there() -> None:
    links = [(each, target, anchor) for each in DOCUMENTS for target, anchor in ANCHOR.findall(each.read_text())]
    assert links
    wrong = [
        (document.name, target, anchor)
        for document, target, anchor in links
        if target.endswith(".md") or not target
        if anchor not in anchors(((document.parent / target) if target else document).read_text())
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("R1 The chain is the truth", "r1-the-chain-is-the-truth"),
        ("`powerd check`, the doctor", "powerd-check-the-doctor"),
        ("[power_management]", "power_management"),
        ("Is it well?", "is-it-well"),
    ],
)
def test_an_anchor_is_what_github_makes_of_a_heading(heading: str, anchor: str) -> None:
    assert anchors(f"## {heading}\n\n```sh\n# no heading\n```\n## {heading}\n") == {anchor, f"{anchor}-1"}


def test_every_block_of_code_says_what_it_is() -> None:
    """Those that are ``sh`` are commands, which tests/integration/test_docs_commands.py runs."""
    openings = {
        each.name: re.findall(r"^ *```(\S*)\n.*?^ *```", each.read_text(), re.MULTILINE | re.DOTALL)
        for each in DOCUMENTS
    }
    assert {name: found for name, found in openings.items() if "" in found} == {}


def links() -> Iterator[tuple[Path, str]]:
    for document in DOCUMENTS:
        for target in LINK.findall(document.read_text()):
            yield document, target


@pytest.mark.parametrize(("document", "target"), list(links()), ids=lambda value: str(value).replace(str(ROOT), ""))
def test_every_file_a_document_links_to_exists(document: Path, target: str) -> None:
    assert (document.parent / target).exists()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_with_the_name_of_a_file_leads_to_a_file_of_that_name(document: Path) -> None:
    named = re.findall(r"\[([\w./]+\.py)\]\(([^)#]+)\)", document.read_text())
    assert [(name, target) for name, target in named if not f"/{target}".endswith(f"/{name}")] == []


def test_every_method_that_the_architecture_names_is_there() -> None:
    code = "\n".join(file.read_text() for file in (ROOT / "app").rglob("*.py"))
    named = set(re.findall(r"`([A-Z]\w+)\.(\w+)`", ARCHITECTURE))
    body = r"^class {}\b(?:(?!^class ).)*?^    (?:async )?def {}\("
    there = re.MULTILINE | re.DOTALL
    assert [f"{kind}.{name}" for kind, name in named if not re.search(body.format(kind, name), code, there)] == []


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> dict[str, list[Function]]:
    """All functions of the program, by their names, and methods as ``Class.method``. The simulated adapters aside."""
    found: dict[str, list[Function]] = defaultdict(list)
    for file in (ROOT / "app").rglob("*.py"):
        if file.parent.name != "simulated":
            for node in ast.parse(file.read_text()).body:
                for each in node.body if isinstance(node, ast.ClassDef) else [node]:
                    if isinstance(each, Function):
                        name = f"{node.name}.{each.name}" if isinstance(node, ast.ClassDef) else each.name
                        found[name].append(each)
    return found


def used(function: Function) -> list[str]:
    """Names that the function uses, in the order of the text."""
    nodes = [node for node in ast.walk(function) if isinstance(node, ast.Attribute | ast.Name)]
    nodes.sort(key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0))
    return [node.attr if isinstance(node, ast.Attribute) else node.id for node in nodes]


def in_order(callees: Sequence[str], names: Iterator[str]) -> bool:
    return all(any(name == callee.rpartition(".")[2] for name in names) for callee in callees)


def call_lists() -> Iterator[tuple[str, list[str]]]:
    """Every function that the architecture's lists name, with those that it calls there."""
    for block in re.findall(r"^```text\n(.*?)^```", ARCHITECTURE, re.MULTILINE | re.DOTALL):
        callers: list[tuple[str, list[str]]] = []
        for indent, name in re.findall(r"^( *)([\w.]+) +\S", block, re.MULTILINE):
            callers[len(indent) // 2 :] = [(name, [])]
            if indent:
                callers[-2][1].append(name)
            yield callers[-1]


def test_the_lists_of_calls_in_the_architecture_are_those_of_the_code() -> None:
    code, lists = functions(), list(call_lists())
    assert len(lists) > 60
    assert [name for name, _ in lists if name not in code] == []
    wrong = [
        (name, callees)
        for name, callees in lists
        if not any(in_order(callees, iter(used(function))) for function in code[name])
    ]
    assert wrong == []


def test_the_architecture_lists_every_thread_of_the_daemon() -> None:
    code = "\n".join(file.read_text() for file in (ROOT / "app/adapters").rglob("*.py"))
    of_commands = {"powerd-neighbours", "powerd-room"}
    threads = set(re.findall(r"""(?:DaemonThread\(|Worker\(|Thread\(.*name=)"(powerd-[\w-]+)\"""", code))
    assert len(threads) > 5
    table = ARCHITECTURE.partition("| thread | does |")[2]
    assert {thread for thread in threads - of_commands if f"`{thread}`" not in table} == set()


@pytest.mark.parametrize("name", ["docker-compose.yml", "README.md", "docs/docker.md"])
def test_every_variable_named_is_one_that_is_read(name: str) -> None:
    known = {key.variable for key in keys().values()} | {"POWERD_CONFIG"}
    named = set(re.findall(r"\bPOWERD_[A-Z_]+\b", (ROOT / name).read_text()))
    assert named <= known


WALKS = {
    "The walk, first part": ["1", "2", "3", "4"],
    "The wake path": ["W5", "W6", "W7"],
    "The power-off path": ["P5", "P6", "P7", "P8", "P9", "P10"],
}


@pytest.mark.parametrize("part", WALKS)
def test_the_walk_in_the_architecture_names_the_files_of_every_step(part: str) -> None:
    text = ARCHITECTURE.partition(f"## {part}")[2].partition("\n## ")[0]
    steps = re.split(r"^(?:- \*\*)?([WP]?\d+)\. ", text, flags=re.MULTILINE)[1:]
    assert steps[::2] == WALKS[part]
    assert [step for step in steps[1::2] if not LINK.search(step)] == []


def test_the_architecture_names_every_service() -> None:
    services = {path for path in (ROOT / "app/domain/services").rglob("*.py") if path.name != "__init__.py"}
    named = {(ROOT / "docs" / target).resolve() for target in LINK.findall(ARCHITECTURE)}
    assert {str(path.relative_to(ROOT)) for path in services - named} == set()


def test_the_architecture_lists_every_task_of_the_daemon() -> None:
    folders = [ROOT / "app/domain", ROOT / "app/adapters"]
    files = [ROOT / "app/entrypoints/powerd/daemon.py", *(file for folder in folders for file in folder.rglob("*.py"))]
    code = "\n".join(file.read_text() for file in files if file.parent.name != "simulated")
    tasks = set(re.findall(r"""create_task\((?:(?!create_task)[^"])*?name=f?"([^"]+)\"""", code))
    assert len(tasks) > 20
    table = ARCHITECTURE.partition("## Tasks of the running daemon")[2]
    assert [task for task in sorted(tasks) if f"`{task.partition('{')[0].rstrip()}" not in table] == []


RECIPES = ("guard", "setting", "adapter", "magic packets", "zbus", "metric", "simulated fault", "promise", "command")


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_recipe_is_short_and_names_the_files_to_touch(recipe: str) -> None:
    recipes = re.split(r"^## ", (ROOT / "docs/extending.md").read_text(), flags=re.MULTILINE)[1:]
    (text,) = [text for text in recipes if recipe in text.partition("\n")[0].partition(":")[0]]
    steps = re.findall(r"^\d\. ", text, re.MULTILINE)
    assert 3 <= len(steps) <= 8
    assert len(LINK.findall(text)) >= 4


def test_the_readme_opens_with_the_two_commands_and_make_knows_them() -> None:
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for command in ("demo", "test"):
        assert f"make {command}" in readme.partition("## ")[0]
        assert re.search(rf"^[\w -]*\b{command}\b[\w -]*:$", makefile, re.MULTILINE)


def named_tests(document: str) -> list[tuple[str, str]]:
    """The tests that a document names as ``U/test_x.py::test_y``."""
    folders = {"I": "integration", "U": "unit"}
    named = re.findall(r"`([IU])/(\w+\.py)::(\w+)`", document)
    return [(f"tests/{folders[folder]}/{file}", name) for folder, file, name in named]


def promises() -> list[tuple[str, str]]:
    return [*named_tests((ROOT / "docs/reliability.md").read_text()), *named_tests(RULES.read_text())]


def cited_rules() -> set[str]:
    """Every rule that code, tests or documents cite."""
    files = [*(ROOT / "app").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *DOCUMENTS]
    cited = {rule for file in files for rule in re.findall(r"\bR(\d{1,2})\b", file.read_text())}
    in_names = {rule for file in files for rule in re.findall(r"def test_r(\d{1,2})_", file.read_text())}
    return cited | in_names


def test_every_row_on_reliability_stands_there_once_and_names_its_test() -> None:
    rows = (ROOT / "docs/reliability.md").read_text().partition("## Waits and deadlines")[0]
    faults = [row for row in re.findall(r"^\| .*\|$", rows, re.MULTILINE) if not row.startswith(("| fault", "| ---"))]
    assert len(faults) > 30
    assert [row for row in faults if "::test_" not in row] == []
    names = [row.split("|")[1] for row in faults]
    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.parametrize(("file", "name"), promises())
def test_every_test_that_a_document_names_is_there(file: str, name: str) -> None:
    assert re.search(rf"^ *(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_every_rule_that_is_cited_stands_in_the_rules_with_its_tests() -> None:
    rules = dict(re.findall(r"^## R(\d+) (.*?)(?=^## |\Z)", RULES.read_text(), re.MULTILINE | re.DOTALL))
    assert cited_rules() <= rules.keys()
    assert [rule for rule, text in rules.items() if not named_tests(text)] == []
    assert [rule for rule, text in rules.items() if "\nWhy: " not in text or "\nDecided in " not in text] == []
