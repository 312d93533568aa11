"""powerd: keeps a machine's power state in step with its target on a blockchain."""

__version__ = "0.1.0"
"""The only place where the version stands: pyproject.toml reads it from here."""
