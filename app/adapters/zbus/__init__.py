"""zbus (RPC over Redis lists): powerd's neighbours on Zero-OS, called, and powerd itself, served."""
