"""What the pages of a file for the register say about it."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.models import User
from portal.templatetags.presenting import number, person_name, when
from submissions.importing.kinds import TABLES
from submissions.models import RegisterImport
from submissions.states import RegisterImportState
from submissions.views.import_forms import KIND_WORDS

_S = RegisterImportState
_OVER: Final = (_S.APPLIED, _S.UNDOING, _S.UNDONE)


def told(found: RegisterImport, people: dict[int, User]) -> dict[str, Any]:
    """An import as the templates of `imports` want it."""
    uploader = people.get(found.uploaded_by or 0)
    employer = found.employer.name if found.employer else ""
    kind = str(KIND_WORDS[RegisterImport.Kind(found.kind)])
    shown: dict[str, Any] = {
        "pk": found.pk,
        "name": found.name,
        "state": found.state,
        "is_whole": found.is_whole and found.state == _S.APPLYING,
        "uploaded_at": found.uploaded_at,
        "ended_at": found.ended_at,
        "uploader": person_name(uploader) if uploader else "",
        "total": found.total,
        "bad": found.bad,
        "done": found.done,
        "good": 0 if found.state in _OVER else max(0, found.total - found.bad - found.same - found.done),
        # A workbook does not tell beforehand how many rows it has.
        "expected": found.lines if found.state == _S.CHECKING else found.total,
        "passed": found.total if found.state == _S.CHECKING else found.done + found.bad + found.same,
    }
    about = [kind, employer, when(found.uploaded_at), shown["uploader"]]
    good = shown["good"]
    return shown | {
        "note": " · ".join(filter(None, (kind, employer))),
        "about": [one for one in about if one],
        "headline": _headline(found, good),
        "facts": _facts(found, good),
        "notes": _notes(found, good),
    }


def _headline(found: RegisterImport, good: int) -> str:
    match found.state:
        case _S.CHECKING:
            text = ngettext("%(total)s row looked at", "%(total)s rows looked at", found.total)
        case _S.CHECKED:
            text = ngettext("%(good)s good row of %(total)s", "%(good)s good rows of %(total)s", good)
        case _S.UNDOING | _S.UNDONE:
            text = ngettext("%(undone)s thing taken back", "%(undone)s things taken back", found.undone)
        case _S.DISCARDED:
            text = _("This file was thrown away")
        case _:
            text = ngettext(
                "%(done)s row of %(total)s imported", "%(done)s rows of %(total)s imported", found.done
            )
    figures = {"total": found.total, "good": good, "undone": found.undone, "done": found.done}
    return text % {name: number(figure) for name, figure in figures.items()}


def _facts(found: RegisterImport, good: int) -> list[tuple[str, int]]:
    if not found.total:
        return []
    return [
        *([(_("To import"), good)] if found.state == _S.CHECKED else []),
        (_("To correct"), found.bad),
        (_("In the register already"), found.same),
        *([(_("Kept"), found.kept)] if found.kept else []),
    ]


def _notes(found: RegisterImport, good: int) -> list[str]:
    if found.state != _S.CHECKED:
        return []
    if found.kind not in TABLES:
        return [
            _(
                "A row is a client or one of its workers. Clients that are not here yet are made, without a mandate. "
                "What was declared comes along as history and is never declared again; an import of an archive is not "
                "undone by machine."
            ),
            _(
                "Mandates, sign-offs, sector agreements, correction requests and documents stay behind: they are "
                "between other people."
            ),
        ]
    notes = []
    if found.bad:
        notes.append(
            _(
                "Correct these rows in your file, or in the file of rows to correct, and choose it again; what is "
                "imported by then is recognised and left alone."
            )
        )
    if found.declares and good:
        notes.append(
            _(
                "Each training becomes a declaration too, and leaves with the next batch. Until then the import can "
                "be undone."
            )
        )
    return notes
