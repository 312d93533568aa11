"""``powerd check``: tries what a node needs before powerd may control its power."""
