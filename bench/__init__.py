"""Repeatable measurements. Each module prints, as its last line, what counts: `seal` ours beside the limit of the
same run, `pages` the 95th percentile of the slowest page."""
