"""What can go wrong between us and the other side, each with the sentence an operator reads.

`permanent`: trying again changes nothing until a person acts. `ambiguous`: it may have happened all the same,
so nothing is sent again by machine.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_LONGEST_SHOWN = 200


def shown(text: object) -> str:
    """What the other side says, fit for a sentence: it may be long, and hold anything."""
    safe = ascii(str(text))[1:-1]
    return safe if len(safe) <= _LONGEST_SHOWN else f"{safe[:_LONGEST_SHOWN]}..."


class TransportError(Exception):
    """An exchange with the other side that did not succeed; ``str()`` is a translated sentence."""

    permanent = False
    ambiguous = False
    sentence: str | Promise = _("The exchange with social security failed: %(detail)s")

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        self.values = {"detail": "", **(values or {})}
        super().__init__(self.values)

    def __str__(self) -> str:
        return str(self.sentence) % self.values


class BadHostKey(TransportError):
    """The key pinned on the channel is no OpenSSH public key."""

    permanent = True
    sentence = _(
        "The server key kept for this channel is no OpenSSH public key, so nothing is sent. "
        "Copy the key that social security published."
    )


class HostKeyChanged(TransportError):
    """The server shows another key than the pinned one: somebody in between, or a renewal."""

    permanent = True
    sentence = _(
        "The server shows another key (%(fingerprint)s) than the one kept for this channel: nothing was "
        "sent. Ask social security whether the key was renewed before you accept it."
    )


class NoCommonGround(TransportError):
    """Both sides know no common algorithm."""

    permanent = True
    sentence = _("The server and the portal have no algorithm in common: %(detail)s")


class LogInRefused(TransportError):
    """The server does not take the SSH key of the channel."""

    permanent = True
    sentence = _(
        "The server refused the log-in of %(username)s. "
        "Compare the public SSH key of this channel with the one registered in Chaman."
    )


class ConnectionLost(TransportError):
    """No connection, or one that broke or fell silent."""

    sentence = _("The connection with the server could not be made or was lost: %(detail)s")


class MissingDirectory(TransportError):
    """A directory of the account is not there."""

    permanent = True
    sentence = _(
        "The directory %(directory)s does not exist on the server: is this environment open for the channel?"
    )


class NotThere(TransportError):
    """A file is no longer on the server: somebody else took it."""

    sentence = _("%(name)s is no longer on the server.")


class ShortFile(TransportError):
    """A file lies over there with another size than was sent: a full disk may show in no other way."""

    sentence = _(
        "The server kept %(there)s of the %(sent)s bytes of %(name)s: its disk may be full. "
        "It will be sent again."
    )


class TooLarge(TransportError):
    """An answer above the size limit of the channel: it is left where it is."""

    permanent = True
    sentence = _(
        "%(name)s has %(size)s bytes, more than the %(limit)s this channel accepts. "
        "It was left on the server."
    )


class Refused(TransportError):
    """The server refused an operation: no right to it, a full disk, or a fault of its own."""

    sentence = _("The server refused “%(name)s”: %(detail)s")


class GoUncertain(TransportError):
    """The GO was on its way when something broke: only a look on the server, or the ACRF, can tell."""

    ambiguous = True
    sentence = _(
        "It is not known whether %(name)s arrived, so nothing is sent again before a look: %(detail)s"
    )
