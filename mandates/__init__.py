"""Who may speak for whom, and until when."""
