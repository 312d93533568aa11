"""powerd on real Linux machines: a Debian guest under QEMU. ``python -m tests.machines``; not part of ``make test``."""
