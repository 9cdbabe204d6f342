"""Passwords of people who do not exist need no slow hash: a tenth of a second each, for every person and sign-in."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2InAnInstant(Argon2PasswordHasher):
    """The hasher of the portal, with as little work as the algorithm allows.

    What it writes is a hash like any other: the real hasher verifies it too, say in a process of its own.
    """

    time_cost = 1
    memory_cost = 8  # KiB, per lane
    parallelism = 1
