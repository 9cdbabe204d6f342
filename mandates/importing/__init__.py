"""Mandates from a file of rows: read, checked, kept as a preview, and applied once somebody says so."""
