"""What each role may do, on the embedded server and on given ones, PostgreSQL 15 to 18."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.servers import ServersError, provided, settled
from portal.servers.places import ROOT, Places
from portal.servers.programs import found_programs
from portal.servers.roles import on_given_server, url_of, with_role

from .conftest import Program, environment

# Every PostgreSQL on this machine, the wheel's where the account of the servers can run it.
PROGRAMS = [programs.directory for programs in found_programs(Places(ROOT / "var/tests"))]

text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


@given(role=text, password=text, database=text)
def test_an_address_survives_any_character(role: str, password: str, database: str) -> None:
    said = psycopg.conninfo.conninfo_to_dict(url_of(role, password, "127.0.0.1:5432", database))
    assert (said["user"], said["password"], said["dbname"]) == (role, password, database)


@given(role=text, password=text)
def test_the_role_of_an_address_is_replaced_and_nothing_else(role: str, password: str) -> None:
    for url in (
        "postgres://postgres@127.0.0.1:5432/ci",
        "postgresql://a:b@db.example:6432/ci?sslmode=require&user=x&password=y",
        "postgresql:///ci?host=%2Fvar%2Frun%2Fpostgresql",
    ):
        before = psycopg.conninfo.conninfo_to_dict(url)
        after = psycopg.conninfo.conninfo_to_dict(with_role(url, role, password))
        assert after == {**before, "user": role, "password": password}
        assert "password" not in psycopg.conninfo.conninfo_to_dict(with_role(url, role, None))


def test_only_the_owner_makes_no_sense(tmp_path: Path) -> None:
    with pytest.raises(ServersError, match="both or neither"):
        settled({"DATABASE_OWNER_URL": "postgres://o@127.0.0.1/x", "PORTAL_VAR": str(tmp_path)})


def test_three_given_addresses_are_taken_as_they_are(tmp_path: Path) -> None:
    urls = {"DATABASE_URL": "a", "DATABASE_OWNER_URL": "b", "REDIS_URL": "c"}
    environ = {**urls, "PORTAL_VAR": str(tmp_path / "var")}
    with provided(environ) as yielded:
        assert yielded == urls
    assert environ == {**urls, "PORTAL_VAR": str(tmp_path / "var")}
    assert not (tmp_path / "var").exists()


def test_an_unreachable_server_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServersError, match=r"server of DATABASE_URL: .*127\.0\.0\.1"):
        settled({"DATABASE_URL": "postgres://x@127.0.0.1:1/x", "REDIS_URL": "r", "PORTAL_VAR": str(tmp_path)})


@pytest.mark.servers
def test_what_was_provided_is_taken_back(var: Path) -> None:
    environ = {"PORTAL_VAR": str(var), "REDIS_URL": "redis://given", "DATABASE_URL": ""}
    with provided(environ) as urls:
        assert environ["DATABASE_URL"] == urls["DATABASE_URL"] != ""
        assert environ["DATABASE_OWNER_URL"]
        assert environ["REDIS_URL"] == "redis://given"
    assert environ == {"PORTAL_VAR": str(var), "REDIS_URL": "redis://given", "DATABASE_URL": ""}


@pytest.mark.servers
@pytest.mark.parametrize("programs", PROGRAMS, ids=lambda path: path.parent.name)
def test_roles_of_an_embedded_server(empty_var: Path, start: Callable[..., Program], programs: Path) -> None:
    program = start(empty_var, PORTAL_POSTGRES_BIN=str(programs))
    check_roles(program.urls["DATABASE_URL"], program.urls["DATABASE_OWNER_URL"])
    for setting, value in {
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "password_encryption": "scram-sha-256",
        "TimeZone": "UTC",
        "listen_addresses": "127.0.0.1",
    }.items():
        assert program.ask(f"SHOW {setting}", "DATABASE_OWNER_URL") == value
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(with_role(program.urls["DATABASE_URL"], "portal_app", "wrong"))


def check_roles(app_url: str, owner_url: str) -> None:
    """The owner can do all that migrations and tests do; the application nothing that it must not."""
    with psycopg.connect(owner_url, autocommit=True) as owner:
        gated = "CREATE FUNCTION due() RETURNS int LANGUAGE sql SECURITY DEFINER RETURN (SELECT count(*)::int FROM t)"
        for statement in (
            "CREATE EXTENSION btree_gist",
            "CREATE TABLE t (id int, EXCLUDE USING gist (id WITH =))",
            "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE t FORCE ROW LEVEL SECURITY",
            "INSERT INTO t SELECT 1 WHERE false",
            "GRANT SELECT ON t TO portal_app, portal_gate",
            gated,
            "GRANT CREATE ON SCHEMA public TO portal_gate",
            "ALTER FUNCTION due() OWNER TO portal_gate",
            "REVOKE CREATE ON SCHEMA public FROM portal_gate",
            "CREATE POLICY gate ON t TO portal_gate USING (current_user = 'portal_gate')",
            "CREATE POLICY filling ON t FOR INSERT TO portal_owner WITH CHECK (true)",
            "INSERT INTO t VALUES (1)",
            "CREATE DATABASE made_by_owner",
            "DROP DATABASE made_by_owner",
        ):
            owner.execute(statement)
        assert owner.execute("SELECT count(*) FROM t").fetchone() == (0,), "the owner is behind the wall too"
    with psycopg.connect(app_url, autocommit=True) as app:
        assert app.execute(
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone() == (False, False, False, False)
        assert app.execute("SELECT count(*) FROM t").fetchone() == (0,)
        assert app.execute("SELECT due()").fetchone() == (1,), "the gate sees over the wall"
        for forbidden in (
            "CREATE TABLE mine ()",
            "CREATE DATABASE mine",
            "CREATE ROLE mine",
            "SET ROLE portal_owner",
            "SET ROLE portal_gate",
            "ALTER TABLE t DISABLE ROW LEVEL SECURITY",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(forbidden)  # type: ignore[call-overload]
        app.execute("CREATE TEMPORARY TABLE scratch ()")


@pytest.fixture(params=PROGRAMS, ids=lambda path: path.parent.name)
def bare(request: pytest.FixtureRequest, empty_var: Path, start: Callable[..., Program]) -> str:
    """The address of a superuser on a server that has passwords and none of our roles."""
    program = start(empty_var, PORTAL_POSTGRES_BIN=str(request.param))
    password = json.loads((empty_var / "secrets/postgres.json").read_text())["postgres"]
    url = with_role(program.urls["DATABASE_URL"], "postgres", password)
    with psycopg.connect(url.replace("/portal", "/postgres"), autocommit=True) as admin:
        admin.execute("DROP DATABASE portal")
        admin.execute("DROP ROLE portal_owner, portal_app, portal_gate")
        admin.execute("CREATE DATABASE portal")
    return url


@pytest.mark.servers
class TestGivenServer:
    def test_a_superuser_makes_all_three_roles(self, bare: str, tmp_path: Path) -> None:
        places = Places(tmp_path / "var")
        urls = on_given_server(bare, places)
        assert ":" in urls["DATABASE_OWNER_URL"].partition("@")[0].removeprefix("postgres://portal_owner")
        check_roles(urls["DATABASE_URL"], urls["DATABASE_OWNER_URL"])
        assert on_given_server(bare, places) == urls, "the second time finds all as it was"

    def test_a_role_that_may_create_roles_is_the_owner(self, bare: str, tmp_path: Path) -> None:
        with psycopg.connect(bare, autocommit=True) as admin:
            admin.execute("CREATE ROLE portal_owner LOGIN CREATEROLE CREATEDB PASSWORD 'builder'")
            admin.execute("ALTER DATABASE portal OWNER TO portal_owner")
        url = with_role(bare, "portal_owner", "builder")
        places = Places(tmp_path / "var")
        urls = on_given_server(url, places)
        assert urls["DATABASE_OWNER_URL"] == url
        check_roles(urls["DATABASE_URL"], url)
        assert on_given_server(url, places) == urls

    def test_an_owner_without_a_schema_is_told_so(self, bare: str, tmp_path: Path) -> None:
        with psycopg.connect(bare, autocommit=True) as admin:
            admin.execute("CREATE ROLE builder LOGIN CREATEROLE PASSWORD 'builder'")
        with pytest.raises(ServersError, match="may not create tables in portal"):
            on_given_server(with_role(bare, "builder", "builder"), Places(tmp_path / "var"))

    def test_a_plain_role_is_left_alone_and_the_owner_asked_for(
        self, bare: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with psycopg.connect(bare, autocommit=True) as admin:
            admin.execute("CREATE ROLE plain LOGIN PASSWORD 'plain'")
        url = with_role(bare, "plain", "plain")
        assert on_given_server(url, Places(tmp_path / "var")) == {"DATABASE_URL": url}
        assert "DATABASE_OWNER_URL" in capsys.readouterr().err

    def test_a_role_somebody_else_made_keeps_its_password(self, bare: str, tmp_path: Path) -> None:
        urls = on_given_server(bare, Places(tmp_path / "theirs"))
        with pytest.raises(ServersError, match="exists on this server, with a password that is not kept"):
            on_given_server(bare, Places(tmp_path / "ours"))
        psycopg.connect(urls["DATABASE_URL"]).close()

    @pytest.mark.parametrize("power", ["SUPERUSER", "BYPASSRLS"])
    def test_a_powerful_application_role_is_refused(self, bare: str, tmp_path: Path, power: str) -> None:
        with psycopg.connect(bare, autocommit=True) as admin:
            admin.execute(f"CREATE ROLE portal_app LOGIN {power}")  # type: ignore[call-overload]
        with pytest.raises(ServersError, match=r"portal_app .* is a superuser or bypasses"):
            on_given_server(bare, Places(tmp_path / "var"))

    def test_passwords_never_reach_the_server_in_clear(self, bare: str, tmp_path: Path) -> None:
        with psycopg.connect(bare, autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET log_statement = 'all'")
            admin.execute("SELECT pg_reload_conf()")
        urls = on_given_server(bare, Places(tmp_path / "var"))
        password = psycopg.conninfo.conninfo_to_dict(urls["DATABASE_URL"])["password"]
        log = log_of(bare).read_text()
        assert "ALTER ROLE" in log
        assert str(password) not in log

    def test_the_script_for_operators_does_the_same(self, bare: str) -> None:
        said = {"PORTAL_OWNER_PASSWORD": "it's o", "PORTAL_APP_PASSWORD": 'it"s a'}
        for _ in range(2):
            subprocess.run(
                ["psql", "-Xqf", str(ROOT / "deploy/postgres-roles.sql"), bare],
                env={**os.environ, **said},
                check=True,
                capture_output=True,
            )
        with psycopg.connect(bare, autocommit=True) as admin:
            admin.execute("ALTER ROLE portal_owner CREATEDB")  # for what the tests of the roles try
        check_roles(
            with_role(bare, "portal_app", said["PORTAL_APP_PASSWORD"]),
            with_role(bare, "portal_owner", said["PORTAL_OWNER_PASSWORD"]),
        )


def log_of(url: str) -> Path:
    """The log of the embedded server at this address."""
    with psycopg.connect(url) as admin:
        data = admin.execute("SHOW data_directory").fetchone()
    assert data
    return Path(data[0]).parents[1] / "log/postgres.log"


@contextmanager
def database_of(admin_url: str) -> Iterator[str]:
    name = f"portal_servers_{os.getpid()}"
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        try:
            yield admin_url.rpartition("/")[0] + f"/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]


@pytest.mark.servers
def test_the_servers_of_this_machine_are_used_when_they_are_named(tmp_path: Path) -> None:
    """With trust authentication, the way CI names them."""
    admin_url, broker = "postgres://postgres@127.0.0.1:5432/postgres", "redis://127.0.0.1:6379/9"
    try:
        psycopg.connect(admin_url, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL that lets postgres in at 127.0.0.1:5432: {error}")
    tell = "import os, json; print(json.dumps(dict(os.environ)))"
    with database_of(admin_url) as url:
        done = subprocess.run(
            [sys.executable, "-m", "portal.servers", "--", sys.executable, "-c", tell],
            env={**environment(tmp_path / "var"), "DATABASE_URL": url, "REDIS_URL": broker},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        urls: dict[str, Any] = json.loads(done.stdout)
        assert urls["REDIS_URL"] == broker
        check_roles(urls["DATABASE_URL"], urls["DATABASE_OWNER_URL"])
        assert {path.name for path in (tmp_path / "var").iterdir()} == {"secrets"}
