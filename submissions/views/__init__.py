"""The pages of declarations, records and sets, and the buttons on them."""
