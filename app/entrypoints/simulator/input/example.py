"""A farm file with everything that one can hold, as ``powerd simulate --example`` prints it."""

from __future__ import annotations

EXAMPLE = """\
# A farm for `powerd simulate --farm-file FILE --days 30`. Times are seconds, and only the ids are needed:
# what is left out has the value that stands here, unless the comment says something else.

[[farm]]
id = 1

# A node with every key that one can have.
[[farm.node]]
id = 11
mac = "52:54:00:00:00:0b"     # of its card; left out: made up
chain_mac = ""                # what the chain says, where that is something else
segment = ""                  # its network segment (switch, VLAN): machines of another one can't wake it
boot_s = 90.0                 # from the magic packet until powerd runs
shutdown_s = 20.0             # from the order to power off until it is dark
slots = 8                     # places for workloads: say 1 for a virtual core, or for 4 GB of memory
can_be_woken = true           # false: a card without Wake-on-LAN
target = "Up"                 # at the start: Up or Down
asleep = false                # true: dark at the start
asleep_w = 3.0                # this and the next three: where the node differs from [energy]
idle_w = 60.0
busy_w = 120.0
price_per_kwh = 0.30

# Most nodes need no more than an id.
[[farm.node]]
id = 12

[[farm.node]]
id = 13
boot_s = 240.0                # a large server: it takes long, and draws more
idle_w = 140.0
busy_w = 300.0
slots = 32

# Which nodes are up, with the policy `bot`.
[bot]
awake_min = 1                 # this number of nodes always stays awake
wake_threshold = 0.8          # share of the awake nodes' slots in use, from which on one more is woken
up_s_min = 1800.0             # a node that woke stays up for at least this time
daily_wake_up = true          # every sleeper is woken once a day: the grid pays for no longer sleep
round_s = 300.0               # how often the bot looks at the farm

# What customers run on the farm (or give a CSV file with --trace).
[workload]
load = 0.2                    # share of all slots in use, on average
daily_swing = 0.6             # 0: the same all day; 1: nothing at four at night, double at four in the afternoon
lifetime_s_mean = 21600.0     # how long one deployment runs, on average

# What a node draws (W), and what that costs.
[energy]
asleep_w = 3.0
idle_w = 60.0
busy_w = 120.0
price_per_kwh = 0.30
currency = "EUR"

# What the grid pays for a node whose whole month is credited; 0: income that is lost is not computed in money.
[income]
per_node_and_month = 20.0     # left out: 0

# The chain's own pace.
[chain]
block_time_s = 6.0
finality_lag_blocks = 3
latency_s = 0.0               # of every answer; a run takes a tenth longer with it

# Settings of every node's powerd that differ from the defaults (docs/configuration.md).
[settings]
"wake.first_wakers" = 3
"""
