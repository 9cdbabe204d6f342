"""When a channel stops trying, by somebody's word or by itself, and how it starts again.

Three reasons end all contact that nobody asks for: a person paused the channel; nothing succeeded any more (the
breaker: ten failures in a row, and over an hour since the first of them); the server shows another key. A person or a
success closes the breaker. Another key is accepted by two people: one asks for it, another one agrees.

What a person asks for by a button is done on a paused channel and on a broken one, because it is his decision, and
because its success is what closes the breaker. While the other key is undecided only a look (`channels.probing`) is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from channels.errors import HostKeyChanged
from channels.models import Channel
from channels.vault import ssh_fingerprint
from portal import audit, tenancy

FAILURES: Final = 10
"""In a row, from which on the breaker may open."""

LONGER_THAN: Final = timedelta(hours=1)
"""Since the first of the failures: a short night of social security's server opens no breaker."""

_UNDECIDED: Final = {
    "other_host_key": "",
    "other_host_key_at": None,
    "host_key_proposed_by": None,
    "host_key_proposed_at": None,
    "host_key_reason": "",
}


class CannotDecide(ValueError):
    """A decision about the channel that may not be taken now, or not by this person; ``str()`` is for him."""

    permanent = True
    ambiguous = False


def may_contact(channel: Channel, *, is_asked: bool) -> bool:
    """Whether the other side may be contacted now; `is_asked`: because a person asked for it."""
    if not channel.is_set_up:
        return False
    return not channel.is_paused or (is_asked and not channel.other_host_key)


def why(channel: Channel) -> str:
    """Why a stopped channel has no contact, in the reader's language."""
    if not channel.is_set_up:
        return _("The channel is being set up.")
    if channel.other_host_key:
        return _("The server shows another key: two people have to decide before anything is sent.")
    if channel.broken_at:
        return _("The channel stopped trying after %(count)d failures in a row.") % {
            "count": channel.failures
        }
    return _("The channel is paused.")


# --- what contacts teach --------------------------------------------------------------------------------


def note_success(channel: Channel) -> None:
    """Contact succeeded: forgets the failures, and closes the breaker. `channel` is locked; the caller saves it."""
    channel.failures, channel.failing_since = 0, None
    if channel.broken_at:
        channel.broken_at = None
        _settle(channel)
        audit.record("channel.breaker_closed", channel)


def note_failure(channel: Channel, error: object) -> None:
    """Contact failed: counts, and opens the breaker. `channel` is locked; the caller saves it."""
    if isinstance(error, HostKeyChanged):
        _note_other_key(channel, str(error.values.get("line", "")))
        return
    now = timezone.now()
    channel.failures += 1
    channel.failing_since = channel.failing_since or now
    is_long = now - channel.failing_since > LONGER_THAN
    if channel.failures >= FAILURES and is_long and channel.broken_at is None:
        channel.broken_at = now
        _settle(channel)
        audit.record(
            "channel.breaker_opened", channel, reason=str(error), data={"failures": channel.failures}
        )


NOTED: Final = (
    "is_paused",
    "failures",
    "failing_since",
    "broken_at",
    *_UNDECIDED,
)
"""The columns that the two functions above may change."""


def _note_other_key(channel: Channel, line: str) -> None:
    """A key that nobody pinned: stops the channel, and ends what was proposed about any other key."""
    if not line or line == channel.other_host_key:
        return
    _write(channel, {**_UNDECIDED, "other_host_key": line, "other_host_key_at": timezone.now()})
    _settle(channel)
    audit.record("channel.host_key_changed", channel, data=_fingerprints(channel))


def _settle(channel: Channel) -> None:
    stopped = channel.paused_at or channel.broken_at or channel.other_host_key
    channel.is_paused = bool(stopped) or not channel.is_set_up


def _fingerprints(channel: Channel) -> dict[str, object]:
    return {"pinned": fingerprint(channel.host_key), "shown": fingerprint(channel.other_host_key)}


def fingerprint(lines: str) -> str:
    """`SHA256:...` of OpenSSH lines, as people compare it: of the first one; what is none is shown as it is."""
    first = lines.strip().partition("\n")[0]
    try:
        return ssh_fingerprint(first)
    except (IndexError, ValueError):
        return first


# --- what people decide ---------------------------------------------------------------------------------


def pause(channel: Channel, reason: str) -> None:
    """Ends all contact that nobody asks for, until somebody resumes. In the caller's transaction."""
    channel = _locked(channel)
    _need(reason)
    _need_service(channel)
    if channel.paused_at:
        raise CannotDecide(_("The channel is paused already."))
    _save(channel, {"paused_at": timezone.now(), "pause_reason": reason})
    audit.record("channel.paused", channel, reason=reason)


def resume(channel: Channel, reason: str) -> None:
    """Ends a pause and closes the breaker. Another key that is undecided keeps the channel stopped all the same."""
    channel = _locked(channel)
    _need(reason)
    _need_service(channel)
    if not (channel.is_paused and (channel.paused_at or channel.broken_at or not channel.other_host_key)):
        raise CannotDecide(_("The channel is neither paused nor did it stop trying."))
    _save(
        channel,
        {
            "paused_at": None,
            "pause_reason": "",
            "broken_at": None,
            "failures": 0,
            "failing_since": None,
            # Both are due at once: whoever resumes wants to see what comes of it.
            "departs_at": None,
            "collects_at": None,
        },
    )
    audit.record("channel.resumed", channel, reason=reason)


def set_exclusive(channel: Channel, is_exclusive: bool, reason: str) -> None:
    """Says whether this portal is the only software that collects here, so that it may take every answer."""
    channel = _locked(channel)
    _need(reason)
    if channel.is_exclusive == is_exclusive:
        raise CannotDecide(_("Somebody else was faster. Look at the present state and decide again."))
    Channel.objects.filter(pk=channel.pk).update(is_exclusive=is_exclusive)
    audit.record("channel.made_exclusive" if is_exclusive else "channel.made_shared", channel, reason=reason)


def propose_host_key(channel: Channel, shown: str, reason: str) -> None:
    """Asks for the other key to be accepted; `shown` is the fingerprint that the person compared."""
    channel = _undecided(channel, shown)
    _need(reason)
    if channel.host_key_proposed_by:
        raise CannotDecide(_("Somebody proposed this key already: another person may accept it."))
    proposal = {
        "host_key_proposed_by": tenancy.actor(),
        "host_key_proposed_at": timezone.now(),
        "host_key_reason": reason,
    }
    _save(channel, proposal)
    audit.record("channel.host_key_proposed", channel, reason=reason, data=_fingerprints(channel))


def accept_host_key(channel: Channel, shown: str) -> None:
    """The second person agrees: from now on the other key is the pinned one, and the channel starts again.

    Raises CannotDecide for the person who proposed it, and when the server has shown a third key since.
    """
    channel = _undecided(channel, shown)
    if not channel.host_key_proposed_by:
        raise CannotDecide(_("Nobody has proposed this key yet: propose it, and let a second person accept."))
    if channel.host_key_proposed_by == tenancy.actor():
        raise CannotDecide(_("You proposed this key yourself: a second person has to accept it."))
    both = _fingerprints(channel)
    changes = {**_UNDECIDED, "host_key": channel.other_host_key, "host_key_since": timezone.now()}
    _save(channel, {**changes, "last_error": "", "departs_at": None, "collects_at": None})
    audit.record("channel.host_key_accepted", channel, data=both)


def keep_host_key(channel: Channel, shown: str, reason: str) -> None:
    """The pinned key stays; one person may say so, because it is the safe side. Another key stops the channel again."""
    channel = _undecided(channel, shown)
    _need(reason)
    both = _fingerprints(channel)
    _save(channel, _UNDECIDED)
    audit.record("channel.host_key_kept", channel, reason=reason, data=both)


def _undecided(channel: Channel, shown: str) -> Channel:
    channel = _locked(channel)
    if not channel.other_host_key or fingerprint(channel.other_host_key) != shown:
        raise CannotDecide(_("The key of the server changed meanwhile: compare the fingerprints again."))
    return channel


def _locked(channel: Channel) -> Channel:
    return Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)


def _need_service(channel: Channel) -> None:
    if not channel.is_set_up:
        raise CannotDecide(_("The channel is being set up: put it in service first."))


def _need(reason: str) -> None:
    if not reason.strip():
        raise CannotDecide(_("Give a reason: it is kept in the history."))


def _write(channel: Channel, changes: Mapping[str, object]) -> None:
    for name, value in changes.items():
        setattr(channel, name, value)


def _save(channel: Channel, changes: Mapping[str, object]) -> None:
    _write(channel, changes)
    _settle(channel)
    channel.save(update_fields=[*changes, "is_paused"])
