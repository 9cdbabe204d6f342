"""Whether an answer may be here at all: of this environment, for this sender, and the only one of its name.

What may not is an alarm and is never applied, whatever else in it would match: a test says nothing about production,
and what social security tells another sender is not ours to act upon.
"""

from __future__ import annotations

from contextlib import suppress

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from channels.models import Envelope, InboundFile
from channels.naming import BadFileName, Environment, parse_name

type Alarm = InboundFile.Alarm


class Misdirected(ValueError):
    """An answer that may not be applied here; `alarm` says why in a word, ``str()`` in a translated sentence."""

    def __init__(self, alarm: Alarm, sentence: str | Promise) -> None:
        super().__init__(sentence)
        self.alarm = alarm

    def __str__(self) -> str:
        return str(self.args[0])


def is_elsewhere(name: str, environment: str) -> bool:
    """Whether a file name says another environment (R, T or S) than this one; what is no file name says none."""
    try:
        return parse_name(name).environment != environment
    except BadFileName:
        return False


def check(file: InboundFile) -> None:
    """Looks at what is known before a file is opened: its own name. Raises Misdirected."""
    # As collecting found it; reading it again takes this away.
    if file.alarm == InboundFile.Alarm.CONTRADICTION:
        raise Misdirected(InboundFile.Alarm.CONTRADICTION, file.reason)
    _check_environment(file, file.name)


def check_quoted(file: InboundFile, quoted: str, envelope: Envelope | None) -> None:
    """Looks at the name of the set that a form of an answer speaks of, and the set of ours that has it, if any.

    Raises Misdirected. A set of ours may carry a sender number that the channel has no more.
    """
    _check_environment(file, quoted)
    with suppress(BadFileName):
        name = parse_name(quoted)
        if envelope is None and name.sender != file.channel.sender_number:
            raise Misdirected(
                InboundFile.Alarm.SENDER,
                _(
                    "It answers %(name)s, of the sender %(other)s; this channel is that of the sender %(ours)s. "
                    "Nothing in it was applied. Tell the contact centre of social security."
                )
                % {"name": name, "other": name.sender, "ours": file.channel.sender_number},
            )


def _check_environment(file: InboundFile, name: str) -> None:
    if is_elsewhere(name, file.environment):
        raise Misdirected(
            InboundFile.Alarm.ENVIRONMENT,
            _(
                "%(name)s is of the environment “%(other)s”; the file lay in the directory of “%(here)s”. "
                "Nothing in it was applied. Tell the contact centre of social security."
            )
            % {
                "name": name,
                "other": parse_name(name).environment.label,
                "here": Environment(file.environment).label,
            },
        )
