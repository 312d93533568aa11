"""The minting's limits, of which a running node needs some."""

from __future__ import annotations

REPORT_GAP_S_MAX = 41 * 60
"""The longest gap between two reports that is credited in full."""
SLEEP_S_MAX = 24 * 3600
"""From the opening of the down window to the report after the next boot."""
BOOT_S_MAX = 30 * 60
"""From the boot request to the boot."""
GRACE_S = 60
"""How far the growth of uptime and the time between two reports may differ."""
SKEW_S = 120
"""A boot time that moved by this much is a violation."""
SLOW_BOOTS_MAX = 1
ABORTED_AFTER_S = 600
"""A report sooner after Down belongs to a normal power-off; a later one shows that the machine stayed on."""
MINIMUM_SHARE, CERTIFIED_SHARE = 0.95, 0.98
"""Below this share of the period nothing is paid; certified nodes need the second."""
