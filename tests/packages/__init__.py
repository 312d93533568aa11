"""The .deb, installed, upgraded, removed and purged in a Debian of its own. ``python -m tests.packages``."""
