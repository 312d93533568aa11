"""A tree like /sys for cards the test machine does not have: devices, one below the other, and their switches."""

from __future__ import annotations

from pathlib import Path

PCI_BRIDGE, ETHERNET, USB_HOST = "0x060400", "0x020000", "0x0c0330"


class Sysfs:
    """The tree at ``root``. Give it to `Kernel`, so that it takes the place of the real one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "devices").mkdir(parents=True)

    def device(self, path: str, subsystem: str = "pci", *, wakeup: str | None = None, kind: str = ETHERNET) -> Path:
        """A device at ``path`` below ``devices``; its switch for waking, where it has one."""
        made = self.root / "devices" / path
        made.mkdir(parents=True)
        bus = self.root / "bus" / subsystem
        bus.mkdir(parents=True, exist_ok=True)
        (made / "subsystem").symlink_to(bus)
        if subsystem == "pci":
            (made / "class").write_text(f"{kind}\n")
        switch = made / "power" / "wakeup"
        if wakeup is not None:
            switch.parent.mkdir()
            switch.write_text(f"{wakeup}\n")
        return switch

    def card(self, name: str, path: str) -> None:
        """A network card that belongs to the device at ``path``."""
        link = self.root / "class" / "net" / name
        link.mkdir(parents=True)
        (link / "device").symlink_to(self.root / "devices" / path)
