"""The catalogues: complete, with every placeholder, and compiled from what they say."""

from __future__ import annotations

import ast
import gettext
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import settings

LANGUAGES = ("fr", "nl", "de")
_PLACEHOLDER = re.compile(r"%\(\w+\)\d*[sdX]")


@dataclass
class Entry:
    """One message of a catalogue."""

    context: str = ""
    source: str = ""
    plural: str = ""
    texts: list[str] = field(default_factory=list)
    flags: str = ""

    @property
    def key(self) -> str:
        """As gettext keeps it."""
        return f"{self.context}\x04{self.source}" if self.context else self.source


def folder(language: str) -> Path:
    return Path(settings.LOCALE_PATHS[0], language, "LC_MESSAGES")


def entries(language: str) -> list[Entry]:
    text = (folder(language) / "django.po").read_text(encoding="utf-8")
    return [entry for entry in map(_entry, text.split("\n\n")) if entry.source]


def _entry(block: str) -> Entry:
    entry, target = Entry(), ""
    for line in block.splitlines():
        if line.startswith("#,"):
            entry.flags += line
        elif not line.startswith("#"):
            if not line.startswith('"'):
                target, _, line = line.partition(" ")
                if target.startswith("msgstr"):
                    entry.texts.append("")
            value = ast.literal_eval(line)
            if target.startswith("msgstr"):
                entry.texts[-1] += value
            else:
                name = {"msgctxt": "context", "msgid": "source", "msgid_plural": "plural"}[target]
                setattr(entry, name, getattr(entry, name) + value)
    return entry


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated_and_none_by_guess(language: str) -> None:
    found = entries(language)
    assert len(found) > 600
    assert [entry.key for entry in found if not all(entry.texts) or "fuzzy" in entry.flags] == []
    assert [entry.key for entry in found if len(entry.texts) != (2 if entry.plural else 1)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_its_placeholders(language: str) -> None:
    for entry in entries(language):
        one, many = (set(_PLACEHOLDER.findall(text)) for text in (entry.source, entry.plural or entry.source))
        for number, text in enumerate(entry.texts):
            # "The good row" need not say how many; French counts nought as one, and may.
            assert set(_PLACEHOLDER.findall(text)) in ([one, many] if number == 0 else [many]), entry.key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_knows_the_same_messages(language: str) -> None:
    assert {entry.key for entry in entries(language)} == {entry.key for entry in entries("fr")}


def test_every_language_of_the_pages_has_its_catalogue() -> None:
    # English is the source itself.
    assert {code for code, _name in settings.LANGUAGES} == {*LANGUAGES, "en"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_does_not_shout(language: str) -> None:
    assert [entry.key for entry in entries(language) if any("!" in text for text in entry.texts)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    with (folder(language) / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    for entry in entries(language):
        if entry.plural:
            assert [compiled[entry.key, place] for place in (0, 1)] == entry.texts, "run compilemessages"
        else:
            assert compiled[entry.key] == entry.texts[0], "run compilemessages"


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every message of the tree at this moment."""
    if shutil.which("xgettext") is None:
        pytest.skip("xgettext is not installed: the messages of the tree cannot be listed")
    root = Path(settings.BASE_DIR)
    copy = tmp_path_factory.mktemp("tree")
    for room in ("portal", "mandates", "channels", "submissions", "templates"):
        shutil.copytree(root / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "locale").mkdir()
    code = (
        "import django; from django.conf import settings; settings.configure(); django.setup(); "
        "from django.core.management import call_command; "
        "call_command('makemessages', locale=['en'], no_location=True, verbosity=0)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=copy, check=True, capture_output=True)
    text = (copy / "locale/en/LC_MESSAGES/django.po").read_text(encoding="utf-8")
    return {entry.key for entry in map(_entry, text.split("\n\n")) if entry.source}


def test_every_message_of_the_tree_is_in_the_catalogues(extracted: set[str]) -> None:
    assert extracted - {entry.key for entry in entries("fr")} == set(), "run makemessages"


def test_a_french_sign_of_punctuation_stays_with_its_word() -> None:
    """The space before ; : ? ! » and after « never breaks a line, so that no line begins with a sign."""
    alone = re.compile(r"\S [;:?!](?:\s|$)|\S »|« \S")
    assert [text for entry in entries("fr") for text in entry.texts if alone.search(text)] == []
