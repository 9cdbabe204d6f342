"""The payload of the Federal Learning Account: one training of one worker, one form each.

The elements, their order and their values are those of ``submissions.fields.FIELDS``, after the employer
and the worker. Every payload is judged by ``schemas/fla.xsd`` before its bytes are given out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext
from lxml import etree

from submissions.fields import BY_ELEMENT, FIELDS, Field, has_illegal_characters, problems
from submissions.wire.generic import (
    CANCELLATION,
    MAX_FORMS,
    MODIFICATION,
    ORIGINAL,
    EnvelopeWriter,
    InvalidForm,
)
from submissions.wire.generic import faulty_elements as _faulty_elements
from submissions.wire.schemas import FLA_NAMESPACE, fla_schema

__all__ = ["CANCELLATION", "MAX_FORMS", "MODIFICATION", "ORIGINAL", "FlaForm", "FlaWriter", "InvalidForm"]

PAYLOAD_ROOT: Final = "TrainingRecord"
_WHO: Final = {
    "company_id": "CompanyID",
    "inss": "INSS",
    "family_name": "FamilyName",
    "given_name": "GivenName",
}
_ELEMENTS: Final = (*_WHO.values(), *(item.element for item in FIELDS))
_NAMES: Final = {element: name for name, element in _WHO.items()} | {e: f.name for e, f in BY_ELEMENT.items()}


class FlaForm(NamedTuple):
    """One declaration about one training record.

    `reference` is ours and comes back in the answer; `attestation` is `ORIGINAL`, `MODIFICATION` or
    `CANCELLATION`; `earlier_ticket` is the ticket of the form that the last two are about. `company_id` has
    10 digits, `nsso` 9 (or None), `inss` 11. `values` are the Python values of the record in the order of
    `FIELDS`: str, date, int or None.
    """

    reference: str
    attestation: int
    earlier_ticket: str | None
    company_id: str
    nsso: str | None
    inss: str
    family_name: str
    given_name: str
    values: tuple[Any, ...]

    def __repr__(self) -> str:
        """Without the person: a form may end up in a log."""
        return f"FlaForm({self.reference!r}, attestation={self.attestation})"


class _Shape:
    """A payload with a given choice of optional elements, kept so that only texts that differ are set."""

    __slots__ = ("nodes", "root", "texts")

    def __init__(self, namespace: str, elements: Sequence[str]) -> None:
        self.root = etree.Element(f"{{{namespace}}}{PAYLOAD_ROOT}", nsmap={None: namespace})
        self.nodes = [etree.SubElement(self.root, f"{{{namespace}}}{element}") for element in elements]
        self.texts: list[str] = [""] * len(self.nodes)


class FlaWriter:
    """Writes the forms of one FI file: ``head``, then up to `MAX_FORMS` times ``form(...)``, then ``foot``.

    `form_code` and `namespace` are settings of the service; `created_at` is an aware moment that all forms
    carry.
    """

    head: Final = EnvelopeWriter.head
    foot: Final = EnvelopeWriter.foot

    def __init__(self, *, form_code: str, created_at: datetime, namespace: str = FLA_NAMESPACE) -> None:
        self._envelope = EnvelopeWriter(form_code=form_code, created_at=created_at)
        self._namespace = namespace
        self._schema = fla_schema(namespace)
        self._shapes: dict[bytes, _Shape] = {}

    def form(self, form: FlaForm) -> bytes:
        """The bytes of one form. Raises `InvalidForm`, after which the writer is good for the next one."""
        try:
            texts: list[str | None] = [form.company_id, form.inss, form.family_name, form.given_name]
            texts += [render(value) for render, value in zip(_RENDER, form.values, strict=True)]
            payload = self._payload(texts)
        # A value of another type or with a character that XML cannot carry: `_explain` says which.
        except (AttributeError, KeyError, TypeError, ValueError):
            payload = None
        if payload is None:
            raise InvalidForm(form.reference, self._explain(form))
        return self._envelope.form(
            payload,
            reference=form.reference,
            attestation=form.attestation,
            earlier_ticket=form.earlier_ticket,
            company_id=form.company_id,
            nsso=form.nsso,
        )

    def _payload(self, texts: Sequence[str | None]) -> bytes | None:
        """The validated element with these texts, in the order of the elements; None when the schema
        refuses it.

        An element whose text is None is left out. One skeleton is kept per combination of elements; only
        texts that differ from those of the form before are set.
        """
        key = bytes([text is not None for text in texts])
        shape = self._shapes.pop(key, None)  # Put back only when its texts are known to be good.
        if shape is None:
            shape = _Shape(
                self._namespace, [e for e, text in zip(_ELEMENTS, texts, strict=True) if text is not None]
            )
        given = [text for text in texts if text is not None]
        for node, text, before in zip(shape.nodes, given, shape.texts, strict=True):
            if text != before:
                node.text = text
        if not self._schema.validate(shape.root):
            return None
        shape.texts = given
        self._shapes[key] = shape
        payload: bytes = etree.tostring(shape.root, encoding="UTF-8", xml_declaration=False)
        return payload

    def _explain(self, form: FlaForm) -> dict[str, list[str]]:
        """Why a form was refused, by name of the field; slow, and only for the forms that are."""
        values = dict(zip((item.name for item in FIELDS), form.values, strict=True))
        found = _problems_of_person(form) | problems(values)
        if not found:
            sentence = gettext("This is not what the schema of the declaration admits.")
            found = {_NAMES.get(element, "form"): [sentence] for element in _faulty_elements(self._schema)}
        return found or {"form": [gettext("This form cannot be written.")]}


def _problems_of_person(form: FlaForm) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, length in (("company_id", 10), ("inss", 11)):
        value = getattr(form, name)
        if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == length):
            found[name] = [gettext("This number must have %(count)d digits.") % {"count": length}]
    for name in ("family_name", "given_name"):
        value = getattr(form, name)
        if not isinstance(value, str) or not value or len(value) > 100 or has_illegal_characters(value):
            found[name] = [gettext("A name has 1 to 100 characters, without control characters.")]
    return found


def _renderer(item: Field) -> Callable[[Any], str | None]:
    """How a Python value of this field is written: None leaves the element out, an error refuses the form."""
    match item.kind:
        case "text":
            return _text
        case "date":
            return date.isoformat if item.required else _optional_day
        case "minutes":
            return int.__str__
        case "money":
            return _euros
        case "choice":
            wire: dict[Any, str | None] = {value: choice.wire for value, choice in item.choices.items()}
            return wire.__getitem__ if item.required else (wire | {"": None, None: None}).__getitem__


def _text(value: str | None) -> str | None:
    return None if value is None or not value or value.isspace() else value


def _optional_day(value: date | None) -> str | None:
    return None if value is None else date.isoformat(value)


def _euros(cents: int | None) -> str | None:
    return None if cents is None else f"{cents // 100}.{cents % 100:02d}"


_RENDER: Final = tuple(_renderer(item) for item in FIELDS)
