"""What a farmer is paid by: the grid's minting rules, as pure functions over one node's month."""
