"""zinit, the init system of Zero-OS."""
