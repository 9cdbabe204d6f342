"""Loading annexes: dated versions, all files or none, and the words that change with them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from portal import annexes
from portal.models import AnnexText, Event, PublishedAnnex
from submissions import publishing
from submissions.publishing import UnusableAnnex
from submissions.words import BY_NUMBER, words
from tests.people import Person
from tests.submissions.annex_files import ERRORS, NAME, annex

pytestmark = pytest.mark.django_db

NEWER = annex(
    30,
    [
        ("998", "Erreur redite", "Fout herzegd"),
        ("999", "Encore une erreur", "Nog een fout"),
        ("997", "Toute neuve", "Gloednieuw", "20251", "99994"),
    ],
)
BOTH = [(NAME, ERRORS), ("Erreurs2025-1_30.xml", NEWER)]


def test_an_annex_is_added_once() -> None:
    (first,) = publishing.load([(NAME, ERRORS)])
    assert (first.number, first.version, first.count, first.before, first.is_known) == (
        30,
        "20241",
        3,
        "",
        False,
    )
    (again,) = publishing.load([(NAME, ERRORS)])
    assert (again.is_known, again.count) == (True, 3)
    assert PublishedAnnex.objects.count() == 1
    assert AnnexText.objects.count() == 3


def test_a_newer_version_is_compared_with_the_one_before_and_leaves_it() -> None:
    publishing.load(BOTH[:1])
    (found,) = publishing.load(BOTH[1:])
    assert (found.before, found.new, found.reworded, found.gone) == ("20241", 1, 1, 1)
    assert sorted(PublishedAnnex.objects.values_list("version", flat=True)) == ["20241", "20251"]
    assert AnnexText.objects.count() == 6


def test_a_corrected_file_of_the_same_version_counts() -> None:
    publishing.load([(NAME, ERRORS), (NAME, ERRORS.replace(b"de l'essai", b"mieux dite"))])
    with translation.override("fr"):
        assert words("00011-998", quarter="20242").title == "Erreur mieux dite"


def test_what_is_damaged_loads_nothing(operator: Person) -> None:
    with pytest.raises(UnusableAnnex, match=r"b2024-1_30\.xml: The file is not well-formed"):
        publishing.load([(NAME, ERRORS), ("b2024-1_30.xml", ERRORS[:-5])])
    assert not PublishedAnnex.objects.exists()
    with operator.scope():
        assert not Event.objects.filter(verb="annex.loaded").exists()


def test_every_mandataire_finds_it_in_the_journal(operator: Person, stranger: Person) -> None:
    publishing.load([(NAME, ERRORS)])
    publishing.load([(NAME, ERRORS)])
    for person in (operator, stranger):
        with person.scope():
            (event,) = Event.objects.filter(verb="annex.loaded")
            assert event.data["version"] == "2024/1"
            assert event.data["sha256"] == PublishedAnnex.objects.get().sha256
            assert (event.data["annex"], event.data["count"], event.data["new"]) == (30, 3, 3)


@pytest.mark.parametrize(
    ("language", "title", "markup"),
    [
        ("fr", "Erreur de l'essai", "Erreur de l&#x27;essai"),
        ("nl", "Fout van de proef", "Fout van de proef"),
        ("de", "Erreur de l'essai", '<span lang="fr">Erreur de l&#x27;essai</span>'),
        ("en", "Erreur de l'essai", '<span lang="fr">Erreur de l&#x27;essai</span>'),
    ],
)
def test_a_code_without_our_words_has_the_official_ones(language: str, title: str, markup: str) -> None:
    from django.template import Context, Template

    with translation.override(language):
        assert words("00011-998", "Etwas").title == "Etwas"
        publishing.load([(NAME, ERRORS)])
        found = words("00011-998", "Etwas")
        assert found.title == title
        assert Template("{{ title }}").render(Context({"title": found.title})) == markup
        assert "00011-998" in str(found.what)
        assert "2024/1" in str(found.what)


def test_our_own_words_come_first() -> None:
    publishing.load([(NAME, ERRORS)])
    assert words("00011-001") is BY_NUMBER["001"]


def test_what_no_annex_knows_is_shown_as_it_came() -> None:
    publishing.load([(NAME, ERRORS)])
    assert words("00011-996", "Etwas <Neues>").title == "Etwas <Neues>"


@pytest.mark.parametrize(
    ("code", "quarter", "title"),
    [
        ("998", "20244", "Erreur de l'essai"),  # the version that held then
        ("998", "20251", "Erreur redite"),
        ("998", "20304", "Erreur redite"),
        ("998", "20101", "Erreur de l'essai"),  # older than all of them: the nearest
        ("001", "20261", None),  # ours
        ("997", "20252", "Toute neuve"),
        ("997", "20241", "Toute neuve"),  # not valid then, yet more than a bare code
    ],
)
def test_the_text_of_the_quarter_is_told(code: str, quarter: str, title: str | None) -> None:
    publishing.load(BOTH)
    with translation.override("fr"):
        found = words(f"00011-{code}", quarter=quarter)
        assert found.title == title if title else found is BY_NUMBER[code]


def test_an_annex_of_the_future_does_not_count_yet() -> None:
    publishing.load([(NAME, ERRORS), ("Erreurs2999-1_30.xml", NEWER)])
    with translation.override("nl"):
        assert words("00011-998").title == "Fout van de proef"
        assert words("00011-997").title == "Gloednieuw"
    assert [one.version for one in annexes.loaded()] == ["20241"]


def test_texts_are_asked_once_and_not_per_code() -> None:
    publishing.load(BOTH)
    with CaptureQueriesContext(
        connection,
    ) as first:
        words("00011-998")
    assert len(first) == 2
    with CaptureQueriesContext(connection) as then:
        for number in range(900, 1000):
            words(f"00011-{number}")
    assert len(then) == 0


def test_what_another_process_loads_is_seen_within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    publishing.load(BOTH[:1])
    with translation.override("fr"):
        assert words("00011-997", "?").title == "?"
        kept = annexes._kept
        publishing.load(BOTH[1:])
        monkeypatch.setattr(annexes, "_kept", kept)  # As if it had happened elsewhere.
        assert words("00011-997", "?").title == "?"
        monkeypatch.setattr(annexes.time, "monotonic", lambda: kept.until)
        assert words("00011-997", "?").title == "Toute neuve"
        with CaptureQueriesContext(connection) as later:
            monkeypatch.setattr(annexes.time, "monotonic", lambda: kept.until + annexes.ASK_AGAIN_AFTER)
            assert words("00011-997", "?").title == "Toute neuve"
        assert len(later) == 1  # Nothing new: no text is read again.


def test_the_command_tells_what_it_did(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no annex"):
        call_command("load_annexes", tmp_path)
    (tmp_path / "Autre2024-1_24.xml").write_bytes(b"<admitted-characters/>")
    with pytest.raises(CommandError, match="None of these files is an annex"):
        call_command("load_annexes", tmp_path, stdout=io.StringIO())
    for name, content in BOTH:
        (tmp_path / name).write_bytes(content)
    said = io.StringIO()
    call_command("load_annexes", tmp_path, stdout=said)
    assert said.getvalue().splitlines() == [
        "Autre2024-1_24.xml: left out, the portal does not use it",
        "Erreurs2024-1_30.xml: annex 30, version 2024/1, 3 texts: loaded, the first version",
        "Erreurs2025-1_30.xml: annex 30, version 2025/1, 3 texts: loaded; compared with version 2024/1: "
        "1 new, 1 changed, 1 gone",
    ]
    said = io.StringIO()
    call_command("load_annexes", tmp_path, stdout=said)
    assert said.getvalue().count("known already") == 2
    (tmp_path / "Z2026-1_30.xml").write_bytes(b"<error-codes>")
    with pytest.raises(CommandError, match=r"Nothing was loaded\. Z2026-1_30\.xml: "):
        call_command("load_annexes", tmp_path)
    assert PublishedAnnex.objects.count() == 2
