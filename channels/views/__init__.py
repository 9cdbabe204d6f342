"""Pages of the channel: setting it up, its keys, and the raw files that travelled."""
