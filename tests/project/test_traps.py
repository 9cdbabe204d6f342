"""The traps of `tests/conftest.py`, each with something to catch."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Iterator

import pytest
from celery import Celery
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, Exists, OuterRef
from django.template import Context, Template, engines
from django.utils.module_loading import import_string

from mandates.models import Employer, Worker
from portal import settings as portal_settings
from portal import tenancy
from portal.models import Mandataire, User
from tests import factories
from tests.people import Person
from tests.portal.everything import tenant_tables
from tests.scratch import makes_the_schema


@pytest.fixture
def in_scope(operator: Person) -> Iterator[Mandataire]:
    with operator.scope():
        yield operator.mandataire


# --- sockets --------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [("192.0.2.1", 8022), ("198.51.100.7", 443)])
def test_no_socket_leaves_this_machine(address: tuple[str, int]) -> None:
    with pytest.raises((RuntimeError, UserWarning), match=r"192\.0\.2\.1|198\.51\.100\.7"):
        socket.create_connection(address, timeout=0.01)


def test_a_socket_may_reach_this_machine() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5) as client,
        server.accept()[0] as accepted,
    ):
        client.sendall(b"hello")
        assert accepted.recv(5) == b"hello"


# --- warnings -------------------------------------------------------------------------------------


def test_a_warning_is_an_error() -> None:
    with pytest.raises(DeprecationWarning):
        warnings.warn("this goes away", DeprecationWarning, stacklevel=1)


# --- order ----------------------------------------------------------------------------------------


def test_rows_without_an_order_come_in_any_order(in_scope: Mandataire) -> None:
    made = [factories.employer().pk for _ in range(12)]
    seen = {tuple(Employer.objects.values_list("pk", flat=True)) for _ in range(5)}
    assert {tuple(sorted(each)) for each in seen} == {tuple(made)}
    assert len(seen) > 1


def test_an_order_that_is_asked_for_is_kept(in_scope: Mandataire) -> None:
    made = [factories.employer().pk for _ in range(12)]
    for _ in range(3):
        assert list(Employer.objects.order_by("pk").values_list("pk", flat=True)) == made


def test_queries_of_every_shape_still_work(in_scope: Mandataire) -> None:
    """Those that the trap leaves alone, and those that it must not disturb."""
    client = factories.client()
    somebody = [factories.worker(client) for _ in range(3)]
    workers = Worker.objects.filter(employer=client)
    assert workers.count() == 3
    assert workers.exists()
    assert workers.aggregate(n=Count("pk")) == {"n": 3}
    assert list(Employer.objects.annotate(n=Count("workers")).values_list("n", flat=True)) == [3]
    assert list(workers.values_list("family_name").distinct()) == [("Vandenbroucke",)]
    assert workers.union(workers).count() == 3
    assert len(list(workers.union(workers))) == 3
    assert Employer.objects.filter(Exists(workers.filter(employer=OuterRef("pk")))).get() == client
    assert Employer.objects.filter(pk__in=workers.values("employer")).get() == client
    assert workers.first() == somebody[0]
    assert len(workers.select_for_update(skip_locked=True)[:2]) == 2
    assert len(list(workers.iterator(chunk_size=2))) == 3
    assert workers.filter(pk=somebody[0].pk).update(given_name="Zoé") == 1
    assert workers.filter(employer__name=client.name).update(given_name="Zoé") == 3
    assert workers.in_bulk().keys() == {each.pk for each in somebody}
    assert workers.delete()[0] == 3


# --- templates ------------------------------------------------------------------------------------


def render(source: str, **context: object) -> str:
    template: Template = engines["django"].from_string(source).template
    return template.render(Context(context))


@pytest.mark.parametrize(
    "source",
    [
        "{{ missing }}",
        "{{ thing.missing }}",
        "{{ missing|default:'x' }}",
        "{% with a=missing %}x{% endwith %}",
        "{% for one in many %}{{ one.missing }}{% endfor %}",
    ],
)
def test_a_template_may_not_use_what_is_not_defined(source: str) -> None:
    with pytest.raises(AssertionError, match="missing"):
        render(source, thing={"there": 1}, many=[{"there": 1}])


def test_a_template_may_ask_whether_something_is_defined() -> None:
    assert render("{% if missing %}yes{% else %}no{% endif %}") == "no"
    assert render("{{ empty }}|{{ nothing }}", empty="", nothing=None) == "|None"


# --- the tenant -----------------------------------------------------------------------------------


def test_a_task_runs_outside_of_the_scope_it_was_started_in(in_scope: Mandataire) -> None:
    app = Celery("trap", broker="memory://", set_as_current=False)
    seen: list[object] = []

    @app.task
    def look() -> None:
        seen.extend([tenancy.current_or_none(), tenancy.actor(), Employer.objects.count()])

    factories.employer()
    actor = tenancy.actor()
    look.apply(throw=True)
    assert seen == [None, None, 0]
    assert tenancy.current() == in_scope.pk
    assert tenancy.actor() == actor
    assert Employer.objects.count() == 1


def test_a_task_that_fails_leaves_the_scope_as_it_was(in_scope: Mandataire) -> None:
    app = Celery("trap", broker="memory://", set_as_current=False)

    @app.task
    def fail() -> None:
        raise LookupError("nothing here")

    with pytest.raises(LookupError):
        fail.apply(throw=True)
    assert tenancy.current() == in_scope.pk
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.mandataire')")
        assert cursor.fetchone() == (str(in_scope.pk),)


def test_a_test_that_commits_leaves_nothing_to_the_next(transactional_db: None) -> None:
    tenants = [factories.mandataire(), factories.mandataire()]
    for each in tenants:
        with tenancy.scope(each.pk):
            factories.sealed_batch()
        factories.member(each)
    call_command("flush", verbosity=0, interactive=False)
    assert not User.objects.exists()
    for each in tenants:
        with tenancy.scope(each.pk), connection.cursor() as cursor:
            for table in tenant_tables():
                cursor.execute(f"SELECT count(*) FROM {table}")
                assert cursor.fetchone() == (0,), table


def test_the_tests_run_as_the_application(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = user")
        assert cursor.fetchone() == (False, False, False)
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole")
        assert cursor.fetchone() == (0,)


# --- what makes the tests faster than the portal ------------------------------------------------------


def test_a_kept_database_is_another_one_when_anything_that_made_it_changes() -> None:
    names = {module.__name__ for module in makes_the_schema()}
    assert {f"portal.{name}" for name in ("walls", "tenancy", "chaining", "managing", "models")} < names
    assert {
        f"{app}.migrations.0001_initial" for app in ("portal", "submissions", "django.contrib.auth")
    } < names


def test_a_password_is_hashed_in_an_instant_as_the_portal_would() -> None:
    """What is hashed here holds in the portal, and the portal itself hashes as slowly as ever."""
    hashed = make_password(factories.PASSWORD)
    assert "m=8,t=1,p=1" in hashed
    real = import_string(portal_settings.PASSWORD_HASHERS[0])()
    assert real.verify(factories.PASSWORD, hashed)
    assert real.must_update(hashed)
    assert (real.time_cost, real.memory_cost) >= (2, 100_000)
