"""Programs that the tests start: forked from one with their modules loaded, or started as in production."""

from __future__ import annotations

import json
import sys

from app.entrypoints.demo.installation import program
from tests.rigs import forked_program as forked
from tests.slowness import patient

LOADED = "import json, sys; print(json.dumps(['redis' in sys.modules, sys.argv[1:]]))"


def test_a_program_that_is_started_again_has_nothing_loaded() -> None:
    process = forked.start(forked.POWERD, fresh=[sys.executable, "-c", LOADED, "--json"])
    with forked.lines_of(process) as lines:
        assert json.loads(lines.readline()) == [False, ["--json"]]
    assert process.wait(patient(30)) == 0


def test_one_that_is_forked_ends_with_the_same_code_and_words() -> None:
    outcomes = []
    for fresh in ((), [program("powerd"), "--no-such-option"]):
        process = forked.start(forked.POWERD, "--no-such-option", read="stderr", fresh=fresh)
        with forked.lines_of(process) as lines:
            said = lines.read()
        outcomes.append((process.wait(patient(30)), said.splitlines()[-1]))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] != 0
