"""How an archive is laid out: the one description that writer, reader and the text inside it share.

    LISEZ-MOI.txt                what this is, for people
    0897223670/dossier.json      all of one client (`submissions.dossiers`), one worker a line
    0897223670/workers.csv ...   the same as tables, for people; never read again
    manifest.json                written last: name, size and SHA-256 of every other file

No name holds a personal number. An archive whose manifest is missing or does not fit was cut off or changed.
"""

from __future__ import annotations

import re
from typing import Final

FORMAT: Final = "mandataire.archive"
VERSION: Final = 1
"""Of the archive; the files in it have a format and version of their own."""
MANIFEST: Final = "manifest.json"
NOTE: Final = "LISEZ-MOI.txt"
DOSSIER: Final = "dossier.json"
TABLES: Final = ("workers", "contracts", "trainings", "declarations", "rights")
NAME: Final = re.compile(rf"{MANIFEST}|{NOTE}|[01][0-9]{{9}}/(?:{DOSSIER}|(?:{'|'.join(TABLES)})\.csv)")
"""Every name that may stand in an archive: no path leads out of it."""
