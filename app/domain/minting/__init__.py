"""The grid's minting rules, which decide what a farmer is paid, as pure functions over one node's month."""
