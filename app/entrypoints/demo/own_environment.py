"""Removes the settings of the user's own powerd: with them a pretend node would act with a real key."""

from __future__ import annotations

import os
from collections.abc import Sequence

from app.entrypoints.settings.keys import PREFIX


def forget_settings(*, but: Sequence[str] = ()) -> list[str]:
    """Remove every ``POWERD_…`` variable from the environment of this process and of what it starts; their names.

    Variables that begin with one of ``but`` stay.
    """
    forgotten = [name for name in os.environ if name.startswith(PREFIX) and not name.startswith(tuple(but))]
    for name in forgotten:
        del os.environ[name]
    return sorted(forgotten)
