"""Every verb that the portal writes has its sentence, and every sentence can be said."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone, translation

from channels.models import InboundFile
from portal import telling
from portal.models import Event
from portal.tellings import SHORT, TELLINGS

ROOMS = ("portal", "mandates", "channels", "submissions")
VERB = re.compile(r"[a-z]+\.[a-z_]+")
RECORDERS = {"record", "record_all", "_record", "_step", "_move", "_settle", "_note", "tell"}
"""Functions that take the verb of an Event."""

NOWHERE = UUID(int=0)
DATA: dict[str, object] = {
    "who": "Anne Claes",
    "username": "anne.claes",
    "application": "declarations",
    "profile": "extended",
    "until": "2027-06-30",
    "fields": ["email"],
    "count": 3,
    "moved": 320,
    "kind": "NOTI",
    "name": "FO.NOTI.FLAD",
}


def calls() -> Iterator[tuple[str, ast.Call]]:
    for room in ROOMS:
        for path in sorted((Path(settings.BASE_DIR) / room).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    if name in RECORDERS:
                        yield f"{path.name}:{node.lineno}", node


def literals(node: ast.AST) -> Iterator[str]:
    """The verbs written in an argument; one that ends in the state of a file is each of them."""
    match node:
        case ast.Constant(value=str(text)) if VERB.fullmatch(text):
            yield text
        case ast.JoinedStr(values=[ast.Constant(value=str(start)), _]) if start == "file.":
            yield from (f"file.{state.value}" for state in InboundFile.State)
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*literals(body), *literals(orelse))


def written_verbs() -> dict[str, str]:
    """Every verb in the source, with one place where it is written. Variables that carry verbs are followed by name."""
    found = {verb: place for place, call in calls() for argument in call.args for verb in literals(argument)}
    source = "\n".join(
        path.read_text() for room in ROOMS for path in (Path(settings.BASE_DIR) / room).rglob("*.py")
    )
    for text in re.findall(r"verb = (.+)", source):
        found |= dict.fromkeys(re.findall(r'"([a-z]+\.[a-z_]+)"', text), text)
    return found


def test_every_verb_that_is_written_has_its_sentence() -> None:
    written = written_verbs()
    assert len(written) > 50
    assert {verb: place for verb, place in written.items() if verb not in TELLINGS} == {}


def test_every_sentence_is_of_a_verb_that_is_written() -> None:
    assert set(TELLINGS) - set(written_verbs()) == set()


def test_a_recorder_is_given_its_verb_in_the_open() -> None:
    """A verb that is put together at run time would escape the search above."""
    hidden = [
        place
        for place, call in calls()
        if getattr(call.func, "attr", "") == "record"
        and getattr(getattr(call.func, "value", None), "id", "") == "audit"
        and not list(literals(call.args[0]))
        and not isinstance(call.args[0], ast.Name)
    ]
    assert hidden == []


def event(verb: str, **data: object) -> Event:
    kind = {"member": "membership", "grant": "membership"}.get(verb.partition(".")[0], "batch")
    return Event(
        mandataire_id=NOWHERE, at=timezone.now(), verb=verb, subject_type=kind, subject_id="7", data=data
    )


@pytest.mark.parametrize("verb", TELLINGS)
@pytest.mark.parametrize("language", ["fr", "nl", "de", "en"])
def test_every_sentence_can_be_said(verb: str, language: str) -> None:
    with translation.override(language):
        said = telling.sentence(event(verb, **DATA), "Carine Dubois", "the thing")
    assert said
    assert "%(" not in said
    assert verb not in said


@pytest.mark.parametrize("verb", [verb for verb in TELLINGS if not verb.startswith("grant.")])
def test_a_sentence_needs_no_data(verb: str) -> None:
    """Events of an older version stay as they were written."""
    assert "%(" not in telling.sentence(event(verb), "", "")


@pytest.mark.parametrize("verb", sorted(SHORT))
def test_what_a_page_tells_shortly_needs_no_data_either(verb: str) -> None:
    assert telling.short(event(verb), {})


@pytest.mark.parametrize(
    ("verb", "data", "said"),
    [
        (
            "grant.given",
            {},
            "Carine granted Anne Claes the profile “Extended” for declarations, until 30/06/2027",
        ),
        ("grant.given", {"until": ""}, "Carine granted Anne Claes the profile “Extended” for declarations"),
        ("grant.withdrawn", {}, "Carine withdrew from Anne Claes the profile “Extended” for declarations"),
        ("member.changed", {}, "Carine changed the data of Anne Claes: E-mail"),
        ("declaration.created", {"count": 1}, "Carine declared the thing"),
        ("declaration.created", {"count": 96}, "Carine declared the thing (96 declarations)"),
        ("file.applied", {}, "The answer the thing was processed (320 answers applied)"),
    ],
)
def test_a_sentence_says_who_did_what(verb: str, data: dict[str, object], said: str) -> None:
    with translation.override("en"):
        assert telling.sentence(event(verb, **{**DATA, **data}), "Carine", "the thing") == said


def test_the_portal_acts_under_its_own_name_and_things_without_name_have_a_number() -> None:
    with translation.override("en"):
        assert (
            telling.sentence(event("batch.released"), "")
            == "The portal released the batch no. 7 to leave again"
        )


def test_an_unknown_verb_shows_itself() -> None:
    with translation.override("en"):
        assert telling.sentence(event("thing.turned"), "Carine") == "Carine: thing.turned, no. 7"
