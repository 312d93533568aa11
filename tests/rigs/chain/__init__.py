"""The chain of the tests: a dev chain in the test's process or in its own, or the one that you name."""
