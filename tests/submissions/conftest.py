"""A set that left, for whatever is answered about it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from submissions.models import Batch
from tests.people import Person
from tests.submissions.answers_about import dropped


@pytest.fixture
def scope(operator: Person) -> Iterator[None]:
    with operator.scope():
        yield


@pytest.fixture
def batch(scope: None) -> Batch:
    """Three declarations that left: the drop is confirmed."""
    return dropped(3)
