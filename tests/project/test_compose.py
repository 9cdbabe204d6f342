"""No container engine runs in CI: what can be known of the compose file without one is checked here."""

import importlib.util
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from portal.servers.places import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SCHEMA = json.loads((Path(__file__).parent / "compose.schema.json").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def words(service: dict[str, Any]) -> list[str]:
    """The command of a service, also when it goes through a shell."""
    return [word for part in service.get("command", []) for word in part.split()]


def test_the_file_keeps_to_the_specification() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(COMPOSE, SCHEMA)


@pytest.mark.parametrize(
    "slip",
    [
        {"image": "postgres:latest"},
        {"image": "postgres"},
        {"healthcheck": {"test": ["CMD", "true"], "interval": "soon", "timeout": "1s", "retries": 1}},
        {"ports": ["8000:8000"]},
        {"comand": ["true"]},
        {"environment": {"DEBUG": True}},
    ],
)
def test_the_schema_notices_a_slip(slip: dict[str, Any]) -> None:
    slipped = {**COMPOSE, "services": {**SERVICES, "web": {**SERVICES["web"], **slip}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(slipped, SCHEMA)


def test_every_part_of_the_house_is_there() -> None:
    assert {"postgres", "redis", "web", "worker", "beat", "simulator"} <= SERVICES.keys()


@pytest.mark.parametrize("image", re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
def test_the_images_we_build_on_are_pinned(image: str) -> None:
    assert re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+-[a-z-]+", image)


@pytest.mark.parametrize("name", OURS)
def test_commands_start_what_exists(name: str) -> None:
    command = words(OURS[name])
    modules = {
        found.partition(":")[0]
        for flag, found in pairwise(command)
        if flag in {"-m", "--app"} or ":application" in found
    }
    assert modules or "manage.py" in command
    for module in modules:
        assert importlib.util.find_spec(module), module
    if "manage.py" in command:
        assert (ROOT / "manage.py").exists()


def test_what_is_copied_into_the_image_exists() -> None:
    copied = re.findall(r"^COPY (?!--)(\S+) ", DOCKERFILE, re.MULTILINE)
    kept = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert source.split("/")[0] in kept, f"{source} is kept from the build by .dockerignore"


def test_the_image_does_not_run_as_root() -> None:
    assert re.search(r"^USER (?!root|0)\w+", DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("name", OURS)
def test_only_the_migration_knows_the_owner(name: str) -> None:
    told = json.dumps(OURS[name].get("environment", {}))
    assert ("OWNER" in told) is (name == "migrate")


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_names_is_declared(name: str) -> None:
    service = SERVICES[name]
    assert service.get("depends_on", {}).keys() <= SERVICES.keys()
    assert set(service.get("secrets", [])) <= COMPOSE["secrets"].keys()
    for volume in service.get("volumes", []):
        source = volume.partition(":")[0]
        assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]


def test_no_password_is_written_down() -> None:
    for service in SERVICES.values():
        for variable, value in service.get("environment", {}).items():
            if "PASSWORD" in variable or "AUTH" in variable:
                assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), variable
            for password in re.findall(r"://\w*:(.+)@", value):
                assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", password), variable


def test_a_service_waited_for_can_say_that_it_is_healthy() -> None:
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[needed]
