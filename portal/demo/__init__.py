"""The demonstration: example clients, two mandataires, and a simulated social security that answers them."""
