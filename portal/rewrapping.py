"""Puts everything that a former master key wraps under the present one, wherever it lies.

Nothing is listed by hand: a value that `secrecy.seal` made begins with its format and the id of its master key, so
every column of bytes of every table is asked for values that begin with the id of a former key. A table that seals
something tomorrow is found without anybody thinking of it. The secrets themselves are not opened.

Second factors belong to users, and are sealed as base64 inside JSON: of the tables without a mandataire the columns of
JSON are asked as well.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.apps import apps
from django.db import models, transaction
from django.db.models import F, Func, Value
from django.db.models.functions import Cast

from portal import audit, keys, secrecy, tenancy
from portal.models import Mandataire

SET = 200
"""Values that are rewrapped in one transaction."""


class Place(NamedTuple):
    """A column of bytes, or one of JSON that may hold them in base64."""

    model: type[models.Model]
    column: str

    def __str__(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"


@dataclass(frozen=True, slots=True)
class Found:
    """How many values of a column begin with the id of one master key."""

    place: Place
    key_id: bytes
    count: int


def places(*, of_tenants: bool) -> list[Place]:
    """Every column of bytes of the tables that belong to mandataires; of the others those of JSON, too."""
    kinds = (models.BinaryField,) if of_tenants else (models.BinaryField, models.JSONField)
    return [
        Place(model, field.attname)
        for model in apps.get_models()
        if not model._meta.proxy and _is_of_tenants(model) == of_tenants
        for field in model._meta.concrete_fields
        if isinstance(field, kinds)
    ]


def _is_of_tenants(model: type[models.Model]) -> bool:
    return model is Mandataire or any(field.name == "mandataire" for field in model._meta.concrete_fields)


def _under(place: Place, key_id: bytes) -> models.QuerySet[models.Model]:
    """The rows whose value was sealed under this key."""
    prefix = secrecy.prefix_of(key_id)
    if _is_json(place):
        return place.model._default_manager.annotate(_text=Cast(place.column, models.TextField())).filter(
            _text__contains=f'"{_in_base64(prefix)}'
        )
    rows = place.model._default_manager.annotate(
        _sealed_under=Func(
            F(place.column),
            Value(1),
            Value(len(prefix)),
            function="substring",
            output_field=models.BinaryField(),
        )
    )
    return rows.filter(_sealed_under=prefix)


def _is_json(place: Place) -> bool:
    return isinstance(place.model._meta.get_field(place.column), models.JSONField)


def _in_base64(prefix: bytes) -> str:
    """How the base64 of what begins with `prefix` begins: the characters that later bytes do not change."""
    return b64encode(prefix).decode()[: len(prefix) * 8 // 6]


def _rewrapped(value: Any, key_id: bytes) -> Any:
    """The value under the present key, wherever in lists and dictionaries it is wrapped by the one with `key_id`."""
    match value:
        case bytes() | memoryview():
            return secrecy.rewrap(value, old=keys.provider(), new=keys.provider())
        case dict():
            return {name: _rewrapped(each, key_id) for name, each in value.items()}
        case list():
            return [_rewrapped(each, key_id) for each in value]
        case str() if value.startswith(_in_base64(secrecy.prefix_of(key_id))):
            return b64encode(_rewrapped(b64decode(value), key_id)).decode()
    return value


# --- counting and doing, in the scope that is open ------------------------------------------------


def _count(found_places: list[Place]) -> Iterator[Found]:
    for place in found_places:
        for key_id in keys.provider().older_ids:
            count = _under(place, key_id).count()
            if count:
                yield Found(place, key_id, count)


def _rewrap_set(place: Place, key_id: bytes) -> int:
    """Rewraps up to `SET` values of one column in the open transaction. Returns how many were found.

    Not locked, because most tables may only be read and added to: a value that somebody else replaced meanwhile is left
    as it is now, under the present key.
    """
    manager = place.model._default_manager
    rows = list(_under(place, key_id).order_by("pk").values_list("pk", place.column)[:SET])
    for pk, value in rows:
        wrapped = _rewrapped(value, key_id)
        manager.filter(pk=pk, **{place.column: value}).update(**{place.column: wrapped})
    return len(rows)


def remaining(mandataires: Iterable[UUID]) -> list[Found]:
    """What the former master keys still wrap: of these mandataires, and of what belongs to none. Changes nothing."""
    total: dict[tuple[Place, bytes], int] = {}
    for mandataire in mandataires:
        with tenancy.scope(mandataire):
            for found in _count(places(of_tenants=True)):
                total[found.place, found.key_id] = total.get((found.place, found.key_id), 0) + found.count
    for found in _count(places(of_tenants=False)):
        total[found.place, found.key_id] = found.count
    return [Found(place, key_id, count) for (place, key_id), count in total.items()]


def rewrap_mandataire(mandataire: UUID) -> int:
    """Rewraps everything of one mandataire, a set per transaction, each with its Event. Returns how many values.

    May be killed and started again at any time: what is done is committed, and the rest is found again.
    """
    total = 0
    for place in places(of_tenants=True):
        for key_id in keys.provider().older_ids:
            while True:
                with tenancy.scope(mandataire):
                    count = _rewrap_set(place, key_id)
                    if count:
                        audit.record(
                            "mandataire.keys_rewrapped",
                            Mandataire.objects.get(pk=mandataire),
                            data={"where": str(place), "count": count},
                        )
                total += count
                if count < SET:
                    break
    return total


def rewrap_shared() -> int:
    """Rewraps what belongs to no mandataire. Returns how many values."""
    total = 0
    for place in places(of_tenants=False):
        for key_id in keys.provider().older_ids:
            while True:
                with transaction.atomic():
                    count = _rewrap_set(place, key_id)
                total += count
                if count < SET:
                    break
    return total
