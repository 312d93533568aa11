"""A daemon's process ends, whatever its threads were at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.slowness import patient

PROGRAM = """
import sys, threading
from app.entrypoints.terminal.ending import end_at_once

class Pool:
    def __del__(self):
        import imported_by_a_finalizer

def import_for_ever():
    import never_imported

begun = sys.modules["begun"] = threading.Event()
threading.Thread(target=import_for_ever, daemon=True).start()
begun.wait()
pool = Pool()
print("stopped")
end_at_once(3)
"""


def test_a_thread_that_imports_does_not_keep_the_process(tmp_path: Path) -> None:
    (tmp_path / "never_imported.py").write_text(
        "import sys, threading\nsys.modules['begun'].set()\nthreading.Event().wait()"
    )
    environment = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        timeout=patient(30),
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "stopped\n", "")
