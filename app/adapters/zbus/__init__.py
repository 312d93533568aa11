"""Zero-OS's neighbours, called over zbus (RPC over Redis lists)."""
