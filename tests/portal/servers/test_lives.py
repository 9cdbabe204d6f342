"""From the first start to the last, with every kind of death in between."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from portal.servers.places import ROOT

from .conftest import Program, Seen, environment, is_running, until

pytestmark = pytest.mark.servers

Start = Callable[..., Program]


def run(var: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "portal.servers", *arguments],
        env=environment(var),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_command_finds_both_servers_and_leaves_none_behind(empty_var: Path, start: Start) -> None:
    program = start(empty_var)
    assert program.ask("SELECT current_user") == "portal_app"
    with redis.Redis.from_url(program.urls["REDIS_URL"]) as broker:
        assert broker.ping()
    program.end()
    assert program.process.returncode == 0
    until(Seen(empty_var).is_at_rest, "the servers stop with the program")


@pytest.mark.parametrize("code", [0, 7])
def test_the_exit_code_is_that_of_the_command(var: Path, code: int) -> None:
    assert run(var, "--", "sh", "-c", f"exit {code}").returncode == code


def test_an_unknown_command_is_said_to_be_one(var: Path) -> None:
    done = run(var, "--", "no-such-program-here")
    assert done.returncode == 1
    assert "no-such-program-here: No such file" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_reaches_the_command(var: Path, start: Start, number: signal.Signals) -> None:
    program = start(var)
    program.process.send_signal(number)
    assert program.process.wait(30) in {-number, 1}  # Python answers SIGINT with an exception
    until(Seen(var).is_at_rest, "the servers stop with the program")


def test_a_killed_program_leaves_no_server_and_loses_no_row(var: Path, start: Start) -> None:
    first = start(var)
    first.ask("CREATE TABLE kept AS SELECT 42 AS answer", "DATABASE_OWNER_URL")
    first.kill()
    until(Seen(var).is_at_rest, "the servers stop when their user was killed")

    again = start(var)
    assert again.urls["DATABASE_URL"].partition("@")[0] == first.urls["DATABASE_URL"].partition("@")[0]
    assert again.ask("SELECT answer FROM kept", "DATABASE_OWNER_URL") == 42


@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_a_killed_keeper_takes_its_server_along(var: Path, start: Start, name: str) -> None:
    program = start(var)
    seen = Seen(var)
    server = seen.postmaster
    os.kill(seen.keeper(name), signal.SIGKILL)
    if name == "postgres":
        until(lambda: not is_running(server), "PostgreSQL dies with its keeper")
    else:
        until(lambda: not answers(program), "Valkey dies with its keeper")
    program.kill()
    until(seen.is_at_rest, "all is gone")
    again = start(var)
    assert again.ask("SELECT 1") == 1
    assert answers(again)


def answers(program: Program) -> bool:
    try:
        with redis.Redis.from_url(program.urls["REDIS_URL"]) as broker:
            return bool(broker.ping())
    except redis.ConnectionError:
        return False


def test_a_server_that_dies_in_use_comes_back_at_the_same_address(var: Path, start: Start) -> None:
    program = start(var)
    seen = Seen(var)
    died = seen.postmaster
    os.kill(died, signal.SIGKILL)

    def is_back() -> bool:
        try:
            program.ask("SELECT 1")
        except psycopg.OperationalError:
            return False
        return seen.postmaster != died

    until(is_back, "PostgreSQL runs again")


@pytest.mark.parametrize("pid_of", ["nobody", "a stranger"])
def test_the_pid_left_by_a_power_cut_is_in_nobodys_way(var: Path, start: Start, pid_of: str) -> None:
    first = start(var)
    seen = Seen(var)
    left_behind = seen.pid_file.read_text()
    victims = [seen.keeper(), seen.postmaster]
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    first.kill()
    until(seen.is_at_rest, "all is gone")

    stranger = subprocess.Popen(["sleep", "600"], user=seen.pid_file.parent.stat().st_uid, extra_groups=[])
    try:
        lines = left_behind.splitlines(keepends=True)
        if pid_of == "a stranger":
            lines[0] = f"{stranger.pid}\n"
        seen.pid_file.write_text("".join(lines))
        assert start(var).ask("SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_start_that_was_killed_half_way_is_begun_anew(empty_var: Path, start: Start) -> None:
    half = subprocess.Popen(
        [sys.executable, "-m", "portal.servers", "--", "true"], env=environment(empty_var), cwd=ROOT
    )
    until((empty_var / "postgres/data.draft/base").exists, "initdb is at work")
    half.kill()
    half.wait()
    for pid in Seen(empty_var).processes():
        os.kill(pid, signal.SIGKILL)
    assert not (empty_var / "postgres/data").exists()
    assert start(empty_var).ask("SELECT 1") == 1


def test_a_second_program_attaches_and_may_outlive_the_first(var: Path, start: Start) -> None:
    first, second = start(var), start(var)
    assert second.urls == first.urls
    first.end()
    assert second.ask("SELECT 1") == 1
    second.end()
    until(Seen(var).is_at_rest, "the servers stop with the last program")


def test_programs_that_start_together_share_one_server(var: Path, start: Start) -> None:
    together = [
        subprocess.Popen(
            [sys.executable, "-m", "portal.servers", "--", "sh", "-c", "echo $DATABASE_URL; read end"],
            env=environment(var),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    said = {program.stdout.readline() for program in together if program.stdout}
    for program in together:
        program.communicate("\n", timeout=30)
    assert len(said) == 1
    assert said.pop().startswith("postgres://portal_app:")


def test_programs_in_quick_succession_never_meet_a_stopping_server(var: Path) -> None:
    probe = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']).close()"
    for _ in range(4):
        done = run(var, "--", sys.executable, "-c", probe)
        assert done.returncode == 0, done.stderr


def test_reset_forgets_the_data_but_not_under_a_user(var: Path, start: Start) -> None:
    program = start(var)
    program.ask("CREATE TABLE kept ()", "DATABASE_OWNER_URL")
    refused = run(var, "--reset")
    assert refused.returncode == 1
    assert "is in use" in refused.stderr
    program.end()
    until(Seen(var).is_at_rest, "the servers stop")

    assert run(var, "--reset").returncode == 0
    assert not (var / "postgres").exists()
    fresh = start(var)
    assert fresh.ask("SELECT to_regclass('kept')") is None
    assert fresh.urls["DATABASE_URL"] != program.urls["DATABASE_URL"]


def test_state_and_secrets_are_closed_to_others(var: Path, start: Start) -> None:
    program = start(var)
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in var.iterdir()}
    assert modes == dict.fromkeys(("log", "postgres", "run", "secrets", "valkey"), "0o700")
    files = [*(var / "run").iterdir(), *(var / "secrets").iterdir(), *(var / "log").iterdir()]
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    secret = program.urls["REDIS_URL"].split(":")[2].partition("@")[0]
    assert secret not in "".join(
        entry.read_bytes().decode(errors="replace")
        for entry in Path("/proc").glob("[0-9]*/cmdline")
        if entry.exists()
    )
    for log in (var / "log").iterdir():
        assert secret not in log.read_text()


def test_passwords_of_another_cluster_are_named_as_the_cause(var: Path) -> None:
    (var / "secrets/postgres.json").unlink()
    done = run(var, "--", "true")
    assert done.returncode == 1
    assert "do not belong together" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unreadable_append_only_file_does_not_keep_the_broker_down(var: Path, start: Start) -> None:
    for file in (var / "valkey/appendonlydir").iterdir():
        file.write_bytes(b"garbage\n" * 10)
    assert answers(start(var))
    assert list((var / "valkey").glob("appendonlydir.unreadable-*"))


def test_a_missing_program_directory_is_named(var: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "portal.servers", "--", "true"],
        env=environment(var, PORTAL_POSTGRES_BIN="/nowhere"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "PORTAL_POSTGRES_BIN=/nowhere" in done.stderr
