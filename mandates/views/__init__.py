"""Pages of clients and their mandates."""
