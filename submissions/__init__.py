"""What is declared and what is answered. Knows no SSH."""
