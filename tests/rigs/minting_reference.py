"""The minting's rules a second time, event by event, to check `app.domain.minting.rules`.

It was written from the text of the rules alone, and not from that module.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.domain.minting.events import Initial, NodeUptimeReported, PowerStateChanged, PowerTargetChanged
from app.domain.minting.period import Period
from app.domain.model import Power


@dataclass
class ReferenceNode:
    period: Period
    state: str = "Up"
    target: str = "Up"
    window: int | None = None
    request: int | None = None
    last: tuple[int, int] | None = None
    boot: int = 0
    credited: int = 0
    slow: int = 0
    violations: list[str] = field(default_factory=list)
    done: bool = False

    def begin(self, initial: Initial) -> None:
        self.state, self.target = initial.state.value, initial.target.value
        if initial.state is Power.DOWN:
            self.window = initial.since_s
            if initial.target is Power.UP:
                self.request = self.period.start_s

    def see(self, event: object) -> None:
        if isinstance(event, PowerTargetChanged):
            if event.target is Power.UP and self.state == "Down" and self.request is None:
                self.request = event.time_s
            self.target = event.target.value
        elif isinstance(event, PowerStateChanged):
            opens = (self.state, event.state.value, self.target) == ("Up", "Down", "Down")
            if opens and self.window is None:
                self.window = event.time_s
                if self.last is not None and event.time_s <= self.period.end_s:
                    self.credited += event.time_s - self.last[0]
                    self.last = (event.time_s, 0)
            self.state = event.state.value
        elif isinstance(event, NodeUptimeReported) and not self.done:
            self.report(event.time_s, event.uptime_s)

    def report(self, now: int, uptime: int) -> None:
        late = now > self.period.end_s
        if self.window is not None and self.request is not None:
            if now - uptime <= self.window:
                return
            slow = now - uptime - self.request > 30 * 60
            if slow:
                self.slow += 1
            elif now - self.window <= 24 * 3600:
                until = self.period.end_s if late else now
                self.credited += max(0, until - max(self.window, self.period.start_s))
            self.window = self.request = None
            self.last, self.boot = (now, uptime), now - uptime
        elif self.window is not None or self.request is not None:
            return
        elif self.last is None:
            self.last, self.boot = (now, uptime), now - uptime
            if not late:
                self.credited += min(now - self.period.start_s, uptime, 2460)
        else:
            self.compare(now, uptime, *self.last, late=late)
        self.done = late

    def compare(self, now: int, uptime: int, last: int, last_uptime: int, *, late: bool) -> None:
        gap, grew = now - last, uptime - last_uptime
        if grew > gap + 60:
            self.violations.append("UptimeTooHigh")
            self.last = (now, uptime)
            return
        if abs(grew - gap) <= 60:
            if abs(now - uptime - self.boot) >= 120:
                self.violations.append("ClockSkew")
            if grew > 0:
                self.credited += min(self.period.end_s - last if late else grew, 2460)
                self.last = (now, uptime)
                return
        if uptime <= gap:
            inside = uptime - (now - self.period.end_s) if late else uptime
            self.credited += max(0, min(inside, 2460))
            self.last, self.boot = (now, uptime), now - uptime
            return
        self.violations.append("UptimeTooLow" if uptime > last_uptime else "InvalidReboot")

    def verdict(self) -> tuple[int, int, str | None]:
        if self.request is not None and self.request <= self.period.end_s:
            self.slow += 1
        if self.slow > 1:
            self.violations.append("BootRequestExpired")
        return self.credited, self.slow, self.violations[0] if self.violations else None
