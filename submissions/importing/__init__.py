"""The register from a file: checked first, applied once somebody says so, undone until it is sent or used."""
