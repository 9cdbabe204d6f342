"""The words of every state, with their sign and tone; the code's names of states never reach a page.

A state has its word for each kind of thing, because French and Dutch inflect it: "refusée" is a declaration,
"refusé" a file. The gettext context is the kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

type Tone = Literal["ok", "warn", "bad", "wait", "mute"]


@dataclass(frozen=True, slots=True)
class Wording:
    """How a state is shown: a word, a sign of `icons.SIGNS` and a tone; colour never stands alone."""

    word: str | Promise
    sign: str
    tone: Tone


def _table(states: dict[str, Wording]) -> Mapping[str, Wording]:
    return MappingProxyType(states)


STATES: Mapping[str, Mapping[str, Wording]] = MappingProxyType(
    {
        "declaration": _table(
            {
                "draft": Wording(pgettext_lazy("declaration", "To complete"), "pencil", "mute"),
                "ready": Wording(pgettext_lazy("declaration", "Ready to leave"), "arrow", "wait"),
                "batched": Wording(pgettext_lazy("declaration", "In a batch"), "file", "wait"),
                "sent": Wording(pgettext_lazy("declaration", "Sent"), "arrow", "wait"),
                "acknowledged": Wording(pgettext_lazy("declaration", "Awaiting its answer"), "clock", "wait"),
                "accepted": Wording(pgettext_lazy("declaration", "Accepted"), "check", "ok"),
                "accepted_with_remarks": Wording(
                    pgettext_lazy("declaration", "Accepted with remarks"), "question", "warn"
                ),
                "tested": Wording(pgettext_lazy("declaration", "Tested, not yet declared"), "clock", "warn"),
                "refused": Wording(pgettext_lazy("declaration", "Refused"), "alert", "bad"),
                "withdrawn": Wording(pgettext_lazy("declaration", "Withdrawn"), "minus", "mute"),
            }
        ),
        "batch": _table(
            {
                "open": Wording(pgettext_lazy("batch", "Being filled"), "pencil", "mute"),
                "sealed": Wording(pgettext_lazy("batch", "Sealed, waiting to leave"), "arrow", "wait"),
                "dropped": Wording(pgettext_lazy("batch", "Awaiting its receipt"), "clock", "wait"),
                "acknowledged": Wording(pgettext_lazy("batch", "Awaiting answers"), "clock", "wait"),
                "rejected": Wording(pgettext_lazy("batch", "File refused"), "alert", "bad"),
                "answered": Wording(pgettext_lazy("batch", "Closed"), "check", "ok"),
                "parked": Wording(pgettext_lazy("batch", "Waits for your decision"), "question", "warn"),
            }
        ),
        "drop": _table(
            {
                "started": Wording(pgettext_lazy("drop", "Sending"), "arrow", "wait"),
                "go_intended": Wording(pgettext_lazy("drop", "Sending, files complete"), "arrow", "wait"),
                "confirmed": Wording(pgettext_lazy("drop", "Dropped"), "check", "ok"),
                "failed": Wording(pgettext_lazy("drop", "Not dropped"), "alert", "bad"),
                "unknown": Wording(pgettext_lazy("drop", "Outcome unknown"), "question", "warn"),
            }
        ),
        "inbound": _table(
            {
                "stored": Wording(pgettext_lazy("file", "Received"), "clock", "wait"),
                "applied": Wording(pgettext_lazy("file", "Processed"), "check", "ok"),
                "unmatched": Wording(pgettext_lazy("file", "Matches nothing sent"), "question", "warn"),
                "unreadable": Wording(pgettext_lazy("file", "Unreadable"), "alert", "bad"),
            }
        ),
        "channel": _table(
            {
                "working": Wording(pgettext_lazy("channel", "In service"), "check", "ok"),
                "silent": Wording(pgettext_lazy("channel", "Not tried yet"), "dots", "mute"),
                "failing": Wording(pgettext_lazy("channel", "No contact"), "alert", "bad"),
                "expiring": Wording(pgettext_lazy("channel", "Certificate to renew"), "question", "warn"),
                "setting_up": Wording(pgettext_lazy("channel", "Being set up"), "pencil", "warn"),
                "paused": Wording(pgettext_lazy("channel", "Paused"), "pause", "mute"),
                "broken": Wording(pgettext_lazy("channel", "Stopped trying"), "alert", "bad"),
                "other_key": Wording(pgettext_lazy("channel", "Another server key"), "alert", "bad"),
            }
        ),
        "import": _table(
            {
                "checked": Wording(pgettext_lazy("import", "Waits for your decision"), "question", "warn"),
                "applying": Wording(pgettext_lazy("import", "Being applied"), "arrow", "wait"),
                "applied": Wording(pgettext_lazy("import", "Applied"), "check", "ok"),
            }
        ),
        "register_import": _table(
            {
                "checking": Wording(pgettext_lazy("import", "Being checked"), "arrow", "wait"),
                "mapping": Wording(pgettext_lazy("import", "Columns to name"), "question", "warn"),
                "checked": Wording(pgettext_lazy("import", "Waits for your decision"), "question", "warn"),
                "applying": Wording(pgettext_lazy("import", "Being applied"), "arrow", "wait"),
                "applied": Wording(pgettext_lazy("import", "Applied"), "check", "ok"),
                "undoing": Wording(pgettext_lazy("import", "Being undone"), "arrow", "wait"),
                "undone": Wording(pgettext_lazy("import", "Undone"), "minus", "mute"),
                "unreadable": Wording(pgettext_lazy("import", "Unreadable"), "alert", "bad"),
                "discarded": Wording(pgettext_lazy("import", "Thrown away"), "minus", "mute"),
            }
        ),
        "letters": _table(
            {
                "due": Wording(pgettext_lazy("letters", "Waiting"), "clock", "wait"),
                "running": Wording(pgettext_lazy("letters", "Being made"), "arrow", "wait"),
                "done": Wording(pgettext_lazy("letters", "Ready to download"), "check", "ok"),
                "failed": Wording(pgettext_lazy("letters", "Not made"), "alert", "bad"),
                "deleted": Wording(pgettext_lazy("letters", "Deleted"), "minus", "mute"),
            }
        ),
        "correction": _table(
            {
                "open": Wording(pgettext_lazy("correction", "To decide"), "question", "warn"),
                "accepted": Wording(pgettext_lazy("correction", "Accepted"), "check", "ok"),
                "declined": Wording(pgettext_lazy("correction", "Declined"), "cross", "mute"),
            }
        ),
        "import_row": _table(
            {
                "good": Wording(pgettext_lazy("row", "Good"), "check", "wait"),
                "bad": Wording(pgettext_lazy("row", "To correct"), "alert", "bad"),
                "applied": Wording(pgettext_lazy("row", "Mandate made"), "check", "ok"),
            }
        ),
        "key": _table(
            {
                "next": Wording(pgettext_lazy("key", "Next"), "clock", "wait"),
                "current": Wording(pgettext_lazy("key", "In use"), "check", "ok"),
                "earlier": Wording(pgettext_lazy("key", "Earlier"), "minus", "mute"),
                "watched": Wording(pgettext_lazy("key", "Watched"), "clock", "wait"),
            }
        ),
        "mandate": _table(
            {
                "to_finalise": Wording(pgettext_lazy("mandate", "To finalise"), "pencil", "mute"),
                "pending": Wording(pgettext_lazy("mandate", "Pending"), "clock", "warn"),
                "upcoming": Wording(pgettext_lazy("mandate", "Yet to start"), "arrow", "wait"),
                "active": Wording(pgettext_lazy("mandate", "Active"), "check", "ok"),
                "ending": Wording(pgettext_lazy("mandate", "Ends this quarter"), "question", "warn"),
                "ended": Wording(pgettext_lazy("mandate", "Closed"), "minus", "mute"),
                "refused": Wording(pgettext_lazy("mandate", "Refused"), "cross", "bad"),
                "withdrawn": Wording(pgettext_lazy("mandate", "Taken back"), "minus", "mute"),
            }
        ),
    }
)

KINDS: Mapping[str, str | Promise] = MappingProxyType(
    {
        "original": _("Original declaration"),
        "modification": _("Modification"),
        "cancellation": _("Cancellation"),
    }
)

STEPS: Mapping[str, tuple[str | Promise, str | Promise]] = MappingProxyType(
    # What each step of a batch is called, and what it is called when it went wrong.
    {
        "sealed": (pgettext_lazy("step", "Sealed"), pgettext_lazy("step", "Not sealed")),
        "dropped": (pgettext_lazy("step", "Dropped"), pgettext_lazy("step", "Drop to be looked at")),
        "acknowledged": (pgettext_lazy("step", "Receipt"), pgettext_lazy("step", "File refused")),
        "answered": (pgettext_lazy("step", "Answers"), pgettext_lazy("step", "Answers missing")),
        "closed": (pgettext_lazy("step", "Closed"), pgettext_lazy("step", "Cannot be closed")),
    }
)

SIGN_OF_TONE: Mapping[str, str] = MappingProxyType(
    {"ok": "check", "warn": "question", "bad": "alert", "wait": "dots", "mute": "minus"}
)
