"""A set made by hand with stock command-line tools: `openssl`, `base64`, `sftp`; nothing of Python in it."""

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from simulator.moments import today
from tests.simulator import people
from tests.simulator.conftest import Scene

TOOLS = ("openssl", "base64", "sftp", "ssh-keygen")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


def run(command: str, where: Path) -> str:
    result = subprocess.run(["sh", "-ec", command], cwd=where, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{command}\n{result.stderr}"
    return result.stdout


@pytest.fixture
def desk(scene: Scene, tmp_path: Path) -> Path:
    """A directory with a log-in key and a signing key that the simulator knows."""
    desk = tmp_path / "desk"
    desk.mkdir()
    run("ssh-keygen -q -t ed25519 -N '' -f id", desk)
    subject = "/CN=Made by hand"
    request = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '{subject}'"
    run(f"{request} -keyout key.pem -out cert.pem", desk)
    certificate = x509.load_pem_x509_certificate((desk / "cert.pem").read_bytes())
    scene.senders[0]["ssh_keys"].append((desk / "id.pub").read_text().strip())
    scene.senders[0]["certificates"].append(certificate.fingerprint(hashes.SHA256()).hex())
    people.write_senders(scene.root, scene.senders)
    (desk / "known_hosts").write_text(f"[127.0.0.1]:{scene.simulator.port} {scene.simulator.host_key}\n")
    return desk


def sftp(scene: Scene, desk: Path, *lines: str) -> str:
    (desk / "batch").write_text("\n".join(lines) + "\n")
    options = "-q -F none -i id -o IdentitiesOnly=yes"
    options += " -o StrictHostKeyChecking=yes -o UserKnownHostsFile=known_hosts"
    return run(f"sftp {options} -P {scene.simulator.port} -b batch acme-sftp@127.0.0.1", desk)


def test_a_set_made_by_hand_is_accepted(scene: Scene, desk: Path) -> None:
    key = people.key("HAND1")
    (desk / "fi").write_bytes(people.document(people.form("BY-HAND")))
    (desk / "go").touch()
    sign = "openssl cms -sign -binary -in fi -signer cert.pem -inkey key.pem -outform DER -md sha256"
    run(f"{sign} | base64 > fs", desk)

    sftp(scene, desk, f"put fi IN/FI.{key}.1.1", f"put fs IN/FS.{key}.1.1", f"put go IN/GO.{key}.1")
    scene.simulator.settle()

    (acrf,) = people.acrfs(scene.out)
    assert (acrf.result, acrf.codes) == ("1", [])
    (outcome,) = scene.outcomes()
    assert (outcome.own, outcome.result) == ("BY-HAND", "1")

    listed = sftp(scene, desk, "ls -1 OUT").splitlines()
    assert sum(line.strip().startswith("OUT/GO.") for line in listed) == 2
    sftp(scene, desk, f"get OUT/{outcome.name} noti", f"get OUT/FS{outcome.name[2:]} noti.fs")
    run("base64 -di < noti.fs > noti.p7", desk)
    verify = "openssl cms -verify -binary -inform DER -in noti.p7 -content noti -noverify"
    assert run(verify, desk) == (desk / "noti").read_text()
    sftp(scene, desk, *(f"rm {line.strip()}" for line in listed if line.strip().startswith("OUT/")))
    assert list(scene.out.iterdir()) == []


def test_a_signature_in_text_mode_is_refused(scene: Scene, desk: Path) -> None:
    """Without -binary, openssl signs other line ends than those that are sent."""
    key = people.key("HAND2", day=f"{today() - dt.timedelta(days=1):%Y%m%d}")
    (desk / "fi").write_bytes(people.document(people.form()).replace(b"<Form>", b"\n<Form>"))
    (desk / "go").touch()
    run("openssl cms -sign -in fi -signer cert.pem -inkey key.pem -outform DER | base64 -w 64 > fs", desk)

    sftp(scene, desk, f"put fi IN/FI.{key}.1.1", f"put fs IN/FS.{key}.1.1", f"put go IN/GO.{key}.1")
    scene.simulator.settle()

    (acrf,) = people.acrfs(scene.out)
    assert acrf.codes == ["ACRF-125"]


def test_the_chroot_holds(scene: Scene, desk: Path) -> None:
    assert "senders.json" not in sftp(scene, desk, "ls -la ..", "ls -la /", "ls -la ../../..")
    for line in (
        "get ../../senders.json x",
        "put batch x",
        "put batch OUT/x",
        "mkdir IN/x",
        "symlink / IN/x",
    ):
        with pytest.raises(AssertionError):
            sftp(scene, desk, line)
    assert sorted(path.name for path in scene.home.iterdir()) == [
        *("IN", "INTEST", "INTEST-S", "OUT", "OUTTEST", "OUTTEST-S")
    ]
