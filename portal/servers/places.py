"""Where the embedded servers keep their state, and under which account they run.

PostgreSQL refuses to run as root. Started by root, the servers run under the account that owns ``var/``,
or else under ``postgres`` or ``nobody``. That account must be able to walk to its files: when it cannot
(a checkout below ``/root``, a ``var/`` closed by a umask), the state lies in ``/var/lib/mandataire-portal``
and ``var/postgres`` is a link to it. No directory is ever opened to others for that.
"""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from portal.servers.errors import ServersError

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = Path("/var/lib/mandataire-portal")
ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An unprivileged account that root lends to a server."""

    uid: int
    gid: int

    def can_reach(self, path: Path) -> bool:
        """Whether this account may list and enter `path`, or run it when it is a program.

        Asked of the kernel as that account, since modes alone do not tell (ACLs, mounts).
        """
        asked = subprocess.run(
            ["/usr/bin/test", "-r", str(path), "-a", "-x", str(path)],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            check=False,
        )
        return asked.returncode == 0


@dataclass(frozen=True)
class Places:
    """The directories of one ``var/``. Everything made here is closed to other users."""

    var: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Places":
        """The directory named by ``PORTAL_VAR``, or ``var/`` of the project."""
        return cls(Path(environ.get("PORTAL_VAR") or ROOT / "var").expanduser().absolute())

    @property
    def account(self) -> Account | None:
        """The account of the servers when root starts them; None: ours."""
        if os.geteuid() != 0:
            return None
        self.var.mkdir(parents=True, exist_ok=True)
        owner = self.var.stat()
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
        for name in ACCOUNTS:
            with suppress(KeyError):
                entry = pwd.getpwnam(name)
                return Account(entry.pw_uid, entry.pw_gid)
        raise ServersError(
            "PostgreSQL does not run as root and none of the accounts "
            f"{', '.join(ACCOUNTS)} exists: start as an ordinary user, or set DATABASE_URL."
        )

    def own(self, name: str) -> Path:
        """A private directory of ``var/`` for this program itself: run, log, secrets."""
        self.var.mkdir(parents=True, exist_ok=True)
        place = self.var / name
        with suppress(FileExistsError):
            place.mkdir(mode=0o700)
            self._hand_over(place)
        return place

    def touch(self, path: Path) -> None:
        """Make an empty file, mode 0600, if there is none."""
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
            self._hand_over(path)

    def write_secret(self, path: Path, text: str) -> None:
        """Write `text` whole or not at all, mode 0600."""
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self._hand_over(Path(draft))
        Path(draft).replace(path)

    def home(self, name: str) -> Path:
        """The state directory of the server `name`, mode 0700, reachable and owned by its account."""
        account = self.account
        self.var.mkdir(parents=True, exist_ok=True)
        place = self.var / name
        if place.is_dir():
            home = place.resolve()
            if account and not account.can_reach(home):
                raise ServersError(
                    f"{place} cannot be reached by the account (uid {account.uid}) that runs its server. "
                    f"Move it to where it can, and link it; or forget its data with --reset."
                )
            return home
        place.unlink(missing_ok=True)  # a link to a place that is no more
        if account is None:
            place.mkdir(mode=0o700)
            return place
        if account.can_reach(self.var):
            place.mkdir(mode=0o700)
            os.chown(place, account.uid, account.gid)
            return place
        target = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=_outside()))
        os.chown(target, account.uid, account.gid)
        place.symlink_to(target)
        return target

    def within_reach(self, program: Path, *trees: Path, version: str) -> Path:
        """`program`, or a copy of it that the account can run.

        `trees` are what has to be copied with it, all below one directory whose layout is kept;
        `version` names the copy, which is made once.
        """
        account = self.account
        if account is None or account.can_reach(program):
            return program
        base = Path(os.path.commonpath([tree.parent for tree in trees]))
        copy = _outside() / f"{trees[0].name}-{version}"
        if not copy.is_dir():
            draft = Path(tempfile.mkdtemp(prefix=f".{copy.name}-", dir=copy.parent))
            for tree in trees:
                shutil.copytree(tree, draft / tree.relative_to(base), symlinks=True)
            for path in (draft, *draft.rglob("*")):
                if not path.is_symlink():
                    mode = stat.S_IMODE(path.stat().st_mode)
                    runnable = 0o111 if path.is_dir() or mode & 0o100 else 0
                    path.chmod(mode | 0o444 | runnable)
            try:
                draft.rename(copy)
            except OSError:  # another program made the same copy meanwhile
                shutil.rmtree(draft)
        return copy / program.relative_to(base)

    def forget(self, name: str) -> None:
        """Remove the state of the server `name`, wherever it lies. The caller holds its locks."""
        place = self.var / name
        if place.is_symlink():
            shutil.rmtree(place.resolve(), ignore_errors=True)
            place.unlink()
        elif place.exists():
            shutil.rmtree(place)

    def _hand_over(self, path: Path) -> None:
        """Let the ordinary owner of ``var/`` use what root made in it (`sudo make demo` once)."""
        if os.geteuid() == 0 and (owner := self.var.stat()).st_uid != 0:
            os.chown(path, owner.st_uid, owner.st_gid)


def _outside() -> Path:
    for base in (OUTSIDE, Path(tempfile.gettempdir()) / OUTSIDE.name):
        with suppress(OSError):
            base.mkdir(mode=0o711, exist_ok=True)
            if base.stat().st_uid == os.geteuid() and os.access(base, os.W_OK):
                return base
    raise ServersError(f"Neither {OUTSIDE} nor the temporary directory can hold the servers' state.")
