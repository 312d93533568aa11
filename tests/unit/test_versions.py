"""The store of a simulated chain: what it says of a final block without searching is what a search finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.adapters.simulated.versions import Versions

KEYS = ("a", "b", "c")
STEPS = st.tuples(st.sampled_from(["write", "decree", "final", "block", "undo", "forget"]), st.sampled_from(KEYS))


@given(st.lists(STEPS, max_size=60))
def test_the_final_map_is_what_reads_of_every_key_tell(steps: list[tuple[str, str]]) -> None:
    store, best, final = Versions(), 0, 0
    for value, (what, key) in enumerate(steps, 1):
        if what in ("write", "decree"):
            store.write("Nonce", key, value, best)
            store.write("Balance", key, -value, best)
        elif what == "block":
            best += 1
        elif what == "undo":
            store.undo(final)
            best = final
        elif what == "forget":
            store.forget(final)
        else:
            final = max(final, best - 1)
            expected = {key: found for key in KEYS if (found := store.read("Nonce", key, final)) is not None}
            assert store.final("Nonce", final) == expected
