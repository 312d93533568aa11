"""A store with the value of every key at every block, so that each block can be read, or undone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

ABSENT: Any = object()

Watcher = Callable[[Hashable, Any], None]
"""Called with a key and its value (None: the key was removed)."""


class Versions:
    """Maps of the chain's storage by name; values are never mutated, only replaced."""

    def __init__(self) -> None:
        self._maps: dict[str, dict[Hashable, tuple[list[int], list[Any]]]] = {}
        self._written: dict[int, list[tuple[str, Hashable]]] = {}
        self._newest: dict[str, dict[Hashable, Any]] = {}
        self._watchers: dict[str, list[Watcher]] = {}
        self._final: dict[str, tuple[int, dict[Hashable, Any]]] = {}
        self._forgotten = 0

    def watch(self, name: str, watcher: Watcher) -> None:
        """Call with all current values of the map, and then with every change."""
        self._watchers.setdefault(name, []).append(watcher)
        for key, value in self.newest(name).items():
            watcher(key, value)

    def newest(self, name: str) -> Mapping[Hashable, Any]:
        """The map as it is now, which is read most, and needs no search."""
        return self._newest.setdefault(name, {})

    def read(self, name: str, key: Hashable, at: int, default: Any = None) -> Any:
        """The value as of block ``at``."""
        versions = self._maps.get(name, {}).get(key)
        if versions is None:
            return default
        index = bisect_right(versions[0], at) - 1
        value = ABSENT if index < 0 else versions[1][index]
        return default if value is ABSENT else value

    def changed_at(self, name: str, key: Hashable) -> int:
        """The newest block that set the value; -1 when none did."""
        versions = self._maps.get(name, {}).get(key)
        return versions[0][-1] if versions is not None and versions[0] else -1

    def final(self, name: str, at: int) -> Mapping[Hashable, Any]:
        """The map as of block ``at``, which can't be undone, and is no older than the one asked for before.

        What changed since then is added to what was known: a map that is read often costs no search for every key.
        """
        known, values = self._final.get(name, (-1, {}))
        if known < self._forgotten:
            values = {key: self.read(name, key, at) for key in self.keys(name, at)}
        else:
            for number in range(known + 1, at + 1):
                for its_name, key in self._written.get(number, ()):
                    if its_name == name:
                        values[key] = self.read(name, key, at)
        if known != at:
            self._final[name] = at, values
        return values

    def write(self, name: str, key: Hashable, value: Any, at: int) -> None:
        """Set the value in block ``at``, which is the newest."""
        if name in self._final and at <= self._final[name][0]:
            self._final[name][1][key] = value
        self._newest.setdefault(name, {})[key] = value
        self._notify(name, key, value)
        numbers, values = self._maps.setdefault(name, {}).setdefault(key, ([], []))
        if numbers and numbers[-1] == at:
            values[-1] = value
            return
        numbers.append(at)
        values.append(value)
        self._written.setdefault(at, []).append((name, key))

    def keys(self, name: str, at: int) -> Iterator[Hashable]:
        """All keys that hold a value as of block ``at``."""
        for key in self._maps.get(name, {}):
            if self.read(name, key, at, ABSENT) is not ABSENT:
                yield key

    def undo(self, after: int) -> None:
        """Remove everything that was written after block ``after``."""
        for number in [number for number in self._written if number > after]:
            for name, key in self._written.pop(number):
                numbers, values = self._maps[name][key]
                while numbers and numbers[-1] > after:
                    numbers.pop()
                    values.pop()
                if values:
                    self._newest[name][key] = values[-1]
                else:
                    self._newest[name].pop(key, None)
                self._notify(name, key, values[-1] if values else None)

    def forget(self, before: int) -> None:
        """Drop versions that no block from ``before`` on can see."""
        first, self._forgotten = self._forgotten, max(self._forgotten, before)
        for number in range(first, before):
            for name, key in self._written.pop(number, ()):
                numbers, values = self._maps[name][key]
                keep = max(0, bisect_right(numbers, before) - 1)
                del numbers[:keep], values[:keep]

    def _notify(self, name: str, key: Hashable, value: Any) -> None:
        for watcher in self._watchers.get(name, ()):
            watcher(key, value)
