"""Who runs the servers, and where their state lies, for root and for an ordinary user."""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.servers.errors import ServersError
from portal.servers.places import OUTSIDE, ROOT, Account, Places
from portal.servers.programs import found_programs

from .conftest import Program, Seen, until

NOBODY = pwd.getpwnam("nobody")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can lend accounts to servers")


def owner_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def test_the_place_is_named_by_the_environment_or_is_the_projects() -> None:
    assert Places.of({}).var == Places.of({"PORTAL_VAR": ""}).var == ROOT / "var"
    assert Places.of({"PORTAL_VAR": "/srv/portal"}).var == Path("/srv/portal")
    assert Places.of({"PORTAL_VAR": "there"}).var == Path.cwd() / "there"


def test_a_secret_is_written_whole_and_closed(tmp_path: Path) -> None:
    places = Places(tmp_path / "var")
    path = places.own("secrets") / "one.json"
    places.write_secret(path, "first")
    places.write_secret(path, "second")
    assert path.read_text() == "second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_is_touched_without_losing_its_content(tmp_path: Path) -> None:
    path = tmp_path / "log"
    Places(tmp_path).touch(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("kept")
    Places(tmp_path).touch(path)
    assert path.read_text() == "kept"


def test_forgetting_what_is_not_there_is_no_fault(tmp_path: Path) -> None:
    Places(tmp_path).forget("postgres")


@as_root
class TestRoot:
    def test_lends_an_account_that_is_not_its_own(self, empty_var: Path) -> None:
        account = Places(empty_var).account
        assert account
        assert account.uid != 0

    def test_a_place_everybody_can_walk_to_holds_the_state(self, empty_var: Path) -> None:
        places = Places(empty_var)
        home = places.home("postgres")
        assert home == empty_var / "postgres"
        assert places.account
        assert (home.stat().st_uid, stat.S_IMODE(home.stat().st_mode)) == (places.account.uid, 0o700)
        assert places.home("postgres") == home

    def test_behind_a_closed_door_the_state_lies_outside(self, empty_var: Path) -> None:
        empty_var.chmod(0o700)
        places = Places(empty_var / "var")
        home = places.home("postgres")
        assert (empty_var / "var/postgres").is_symlink()
        assert home.parent == OUTSIDE
        assert places.account
        assert places.account.can_reach(home)
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert places.home("postgres") == home
        assert stat.S_IMODE(empty_var.stat().st_mode) == 0o700, "no door was opened for it"

        places.forget("postgres")
        assert not home.exists()
        assert not (empty_var / "var/postgres").is_symlink()

    def test_a_link_to_nowhere_is_made_anew(self, empty_var: Path) -> None:
        (empty_var / "valkey").symlink_to("/nowhere/at/all")
        assert Places(empty_var).home("valkey") == empty_var / "valkey"

    def test_state_that_was_moved_behind_a_closed_door_is_not_touched(self, empty_var: Path) -> None:
        places = Places(empty_var)
        places.home("postgres")
        empty_var.chmod(0o700)
        with pytest.raises(ServersError, match="cannot be reached"):
            places.home("postgres")
        empty_var.chmod(0o755)

    @pytest.mark.servers
    def test_servers_behind_a_closed_door_run_and_stop(
        self, empty_var: Path, start: Callable[..., Program]
    ) -> None:
        empty_var.chmod(0o700)
        program = start(empty_var)
        seen = Seen(empty_var)
        assert program.ask("SELECT current_user") == "portal_app"
        assert owner_of(seen.postmaster) != 0
        program.kill()
        until(seen.is_at_rest, "the servers stop")

    def test_programs_behind_a_closed_door_are_copied_once(self, empty_var: Path) -> None:
        closed = empty_var / "closed"
        tree = closed / "package/programs"
        tree.mkdir(parents=True)
        shutil.copy("/usr/bin/id", tree / "id")
        (tree / "beside").write_text("data")
        (tree / "beside").chmod(0o600)
        closed.chmod(0o700)
        places = Places(empty_var)
        account = places.account
        assert account
        version = f"test-{os.getpid()}"
        copy = places.within_reach(tree / "id", tree, version=version)
        try:
            assert copy == OUTSIDE / f"programs-{version}/programs/id"
            assert account.can_reach(copy)
            ran = subprocess.run(
                [copy, "-u"], user=account.uid, extra_groups=[], capture_output=True, text=True, check=True
            )
            assert int(ran.stdout) == account.uid
            made = copy.stat().st_mtime_ns
            assert places.within_reach(tree / "id", tree, version=version).stat().st_mtime_ns == made
        finally:
            shutil.rmtree(copy.parent.parent)

    def test_programs_within_reach_stay_where_they_are(self, empty_var: Path) -> None:
        program = Path("/usr/bin/id")
        assert Places(empty_var).within_reach(program, program.parent, version="1") == program

    @pytest.mark.servers
    def test_the_owner_of_var_runs_the_servers_and_may_start_them_later(
        self, empty_var: Path, start: Callable[..., Program]
    ) -> None:
        """`sudo make demo` once must not lock an ordinary user out of his own checkout."""
        os.chown(empty_var, NOBODY.pw_uid, NOBODY.pw_gid)
        program = start(empty_var)
        assert owner_of(Seen(empty_var).postmaster) == NOBODY.pw_uid
        address = program.urls["DATABASE_URL"].partition("@")[0]
        program.end()
        until(Seen(empty_var).is_at_rest, "root's servers stop")
        assert {path.stat().st_uid for path in empty_var.rglob("*")} == {NOBODY.pw_uid}

        again = start(empty_var, launcher=ordinary_user())
        assert owner_of(Seen(empty_var).keeper()) == NOBODY.pw_uid
        assert again.urls["DATABASE_URL"].partition("@")[0] == address

    @pytest.mark.servers
    def test_an_ordinary_user_needs_no_help(self, empty_var: Path, start: Callable[..., Program]) -> None:
        os.chown(empty_var, NOBODY.pw_uid, NOBODY.pw_gid)
        program = start(empty_var, launcher=ordinary_user())
        seen = Seen(empty_var)
        assert {owner_of(pid) for pid in seen.processes()} == {NOBODY.pw_uid}
        os.kill(seen.keeper(), 9)
        program.kill()
        until(seen.is_at_rest, "the servers stop")
        assert start(empty_var, launcher=ordinary_user()).ask("SELECT 1") == 1


def ordinary_user() -> tuple[str, ...]:
    """Runs what follows as nobody, who may read the interpreter even when it is installed below ``/root``."""
    ids = (f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups")
    reading = () if Account(NOBODY.pw_uid, NOBODY.pw_gid).can_reach(interpreter()) else READING
    return ("setpriv", *ids, *reading)


READING = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")


def interpreter() -> Path:
    return Path(os.path.realpath(f"/proc/{os.getpid()}/exe"))


def test_programs_are_found_without_any_set_up(empty_var: Path) -> None:
    found = list(found_programs(Places(empty_var)))
    assert found
    assert all((programs.directory / "initdb").exists() for programs in found)
    assert "pginstall" in found[-1].directory.parts, "the wheel comes last"
    assert [one.major for one in found[:-1]] == sorted((one.major for one in found[:-1]), reverse=True)
