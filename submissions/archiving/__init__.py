"""The archive of a register: all of each client in one ZIP, written while it is read, and read again elsewhere."""
