"""Workers and trainings from a file: checked first, applied once somebody says so, undone until they are sent."""
