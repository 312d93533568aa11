"""Measurements of powerd beside a floor that is measured in the same run; see docs/benchmarks.md."""
