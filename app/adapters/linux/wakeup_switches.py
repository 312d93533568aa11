"""The kernel's switches for waking: ``power/wakeup`` of the card's device, and of the devices above it.

A card that is armed by ethtool does not wake the machine while its device says ``disabled`` here (the
kernel's Documentation/ABI/testing/sysfs-devices-power). These switches count, from the card upwards:

=====================================  ==========================================================
device                                 its switch
=====================================  ==========================================================
the card's own (the first that has     must be ``enabled``; powerd enables it
one, below any PCI bridge)
of a card on USB, each hub and the     the same: the signal passes through them, and the kernel
host controller too                    blocks it where the switch is not enabled
PCI bridges and root ports             logged, and left alone: on most machines the firmware wakes the
                                       machine without them, and other cards are below them
=====================================  ==========================================================

/proc/acpi/wakeup shows the same switches by other names. A device without one needs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.adapters.processes.exhausted import remedy_of
from app.domain.errors import NicUnusable
from app.domain.values import value

SYSFS = Path("/sys")

ENABLED, DISABLED = "enabled", "disabled"

_PCI_BRIDGE = "0x0604"


@value
class WakeupSwitches:
    """``needed`` must be enabled for the card to wake the machine; ``above`` belong to PCI bridges."""

    needed: tuple[Path, ...]
    above: tuple[Path, ...]

    @property
    def off(self) -> tuple[Path, ...]:
        """The needed ones that say ``disabled``."""
        return tuple(switch for switch in self.needed if _read(switch) == DISABLED)

    @property
    def off_above(self) -> tuple[Path, ...]:
        """Those of PCI bridges that say ``disabled``."""
        return tuple(switch for switch in self.above if _read(switch) == DISABLED)


def wakeup_switches(card: str) -> WakeupSwitches:
    """The switches of the card; none for a link without a device."""
    needed: list[Path] = []
    above: list[Path] = []
    try:
        device = (SYSFS / "class/net" / card / "device").resolve(strict=True)
    except OSError:
        return WakeupSwitches((), ())
    passing = True
    for each in _upwards(device):
        bridge = _text(each / "class").startswith(_PCI_BRIDGE)
        passing = passing and not bridge
        switch = each / "power" / "wakeup"
        if _read(switch):
            (needed if passing else above).append(switch)
            # Devices above the card's own are not the card's, unless the card is on USB.
            passing = passing and _on_usb(each)
    return WakeupSwitches(tuple(needed), tuple(above))


def enable(card: str) -> None:
    """Enable the needed switches. `NicUnusable` names the first one that does not take it."""
    for switch in wakeup_switches(card).off:
        try:
            switch.write_text(ENABLED)
        except OSError as error:
            rights = (
                "let powerd write it (packaging/udev; ReadWritePaths= of its systemd unit), or enable it by a udev rule"
            )
            raise NicUnusable(
                f"{card} would not wake this machine: {switch} says disabled and can't be written ({error.strerror}); "
                f"{remedy_of(error, rights)}"
            ) from error
        if _read(switch) == DISABLED:
            raise NicUnusable(
                f"{card} would not wake this machine: {switch} says disabled again after powerd enabled it"
            )


def _upwards(device: Path) -> Iterator[Path]:
    root = (SYSFS / "devices").resolve()
    while device != root and root in device.parents:
        yield device
        device = device.parent


def _on_usb(device: Path) -> bool:
    try:
        return (device / "subsystem").resolve(strict=True).name == "usb"
    except OSError:
        return False


def _read(switch: Path) -> str:
    """``enabled``, ``disabled``, or empty: an empty file means that the device cannot wake the machine."""
    return _text(switch).strip()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        if remedy := remedy_of(error):  # else a switch that was not read would be none
            raise NicUnusable(f"{path} can't be read ({error.strerror}); {remedy}") from error
        return ""
