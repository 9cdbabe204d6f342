"""How the pages present numbers, days, states and progress."""
