"""Procurations that employers signed: looked at as PDF, sealed, kept."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from mandates.models import PROCURATION, Mandate, Procuration
from portal.models import cipher

MAX_BYTES: Final = 5_000_000
_HEAD: Final = re.compile(rb"%PDF-[12]\.[0-9]")
_END: Final = re.compile(rb"startxref\s+([0-9]{1,12})\s+%%EOF\s*\Z")
_UNFIT_IN_NAME: Final = re.compile(r"[^\w.() -]+")
_LONGEST_NAME: Final = 120


class UnfitPdf(ValueError):
    """A file that is no procuration one could keep; `str()` is a sentence for whoever sent it."""

    permanent = True
    ambiguous = False


@dataclass(frozen=True, slots=True)
class Pdf:
    """A file that was looked at: a name without a path, and its bytes."""

    name: str
    content: bytes


def read(name: str, content: bytes) -> Pdf:
    """The file as a procuration, or UnfitPdf.

    Looks at what every PDF has: its head, and at its end the place of its table of objects. Scanners put a few bytes
    in front or behind, so the head may stand within the first kilobyte and the end within the last.
    """
    if not content:
        raise UnfitPdf(_("The file is empty. Choose the signed procuration."))
    if len(content) > MAX_BYTES:
        raise UnfitPdf(
            _("The file is too large: at most %(limit)d MB. Scan it in black and white, or at 150 dpi.")
            % {"limit": MAX_BYTES // 1_000_000}
        )
    if not _HEAD.search(content[:1024]):
        raise UnfitPdf(
            _(
                "This is not a PDF. Scan the signed procuration to PDF, or print it into one, then choose that file."
            )
        )
    end = _END.search(content[-1024:].rstrip(b"\x00\r\n\t "))
    if end is None or int(end[1]) >= len(content):
        raise UnfitPdf(_("This PDF is cut off or damaged: its end is missing. Save or scan it again."))
    return Pdf(_plain(name), content)


def keep(mandate: Mandate, purpose: Procuration.Purpose, pdf: Pdf) -> Procuration:
    """Seals and stores the file. The caller records the Event."""
    return Procuration.objects.create(
        mandate=mandate,
        purpose=purpose,
        name=pdf.name,
        sha256=hashlib.sha256(pdf.content).hexdigest(),
        size=len(pdf.content),
        content_sealed=cipher().seal_bytes(PROCURATION, pdf.content, subject=f"mandate {mandate.pk}"),
        received_at=timezone.now(),
    )


def _plain(name: str) -> str:
    """A name that can stand in a header and on a page: no path, no quotes, ending in `.pdf`."""
    stem = _UNFIT_IN_NAME.sub("_", PurePath(name.replace("\\", "/")).name)
    stem = re.sub(r"\.pdf\Z", "", stem, flags=re.IGNORECASE).strip(" .")
    return (stem[:_LONGEST_NAME] or "procuration") + ".pdf"
