"""What goes wrong between the portal and an OpenID provider, as sentences that say what to do."""

from __future__ import annotations


class ProviderFault(Exception):
    """The text is for people, in the reader's language; `detail` is for the log and holds no token, code or secret."""

    def __init__(self, sentence: str, detail: str = "") -> None:
        super().__init__(sentence)
        self.detail = detail or sentence


class Unreachable(ProviderFault):
    """The provider could not be asked, or must not be: its address, its answer or its certificate is not acceptable."""


class NotTrusted(ProviderFault):
    """The provider answered, and what it said about somebody does not hold."""
