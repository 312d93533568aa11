"""Builds what operators install: a wheel, and a package for Debian. ``python -m release``."""
