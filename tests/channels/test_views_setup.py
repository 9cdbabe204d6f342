"""The pages of the set-up: who may come, what they refuse, and what they leave behind."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from lxml import html

from channels import setting_up, verifying
from channels.errors import ConnectionLost
from channels.models import Channel
from channels.verifying import Check, Who
from portal import tenancy
from portal.models import ChannelProfile, Event
from tests import factories
from tests.people import Person

pytestmark = pytest.mark.django_db

PAGES = (
    *("channel_setup", "channel_settings", "channel_environment", "channel_chaman", "channel_server"),
    *("channel_verify", "channel_service", "channel_keys", "channel_ssh_key", "channel_certificate"),
    "channel_rest",
)


@pytest.fixture
def channel(operator: Person) -> Channel:
    """A channel whose set-up has begun."""
    with operator.scope():
        return setting_up.open_channel(operator.mandataire, Channel.Way.NEW, "Canal")


def text(answer: Any) -> str:
    return " ".join(html.fromstring(answer.content).xpath("//main")[0].text_content().split())


def settings_of(channel: Channel, **changes: Any) -> dict[str, Any]:
    """What the form of the settings would send back."""
    values: dict[str, Any] = {
        "name": channel.name,
        "username": "essai",
        "sender_number": channel.sender_number,
        "permissions": ["FLA"],
        "host": channel.host,
        "port": channel.port,
        "max_file_megabytes": 50,
        "files_at_once": 32,
        "can_list_in": "on",
        "signs_tests": "on",
    }
    for place, pair in channel.directories.items():
        for index, directory in enumerate(pair):
            values[f"directory_{place}_{index}"] = directory
    return values | changes


# --- who --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_setting_up_is_for_who_holds_its_profile(channel: Channel, operator: Person, name: str) -> None:
    found = {}
    for profile in ChannelProfile:
        client = Client()
        client.force_login(factories.place(operator.mandataire, profile).user)
        found[profile.value] = client.get(reverse(name)).status_code
    assert found == {"see": 403, "operate": 403, "manage": 200}
    assert operator.client.get(reverse(name)).status_code == 200
    assert Client().get(reverse(name)).status_code == 302


@pytest.mark.parametrize("name", PAGES[1:])
def test_before_the_set_up_begins_there_is_nothing_to_change(operator: Person, name: str) -> None:
    assert operator.client.get(reverse(name)).status_code == 404
    assert operator.client.post(reverse(name)).status_code in (404, 405)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_set_up_asks_little_of_the_database(
    channel: Channel, operator: Person, name: str, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(22):
        operator.client.get(reverse(name))


# --- beginning --------------------------------------------------------------------------------------


def test_the_set_up_begins_once(operator: Person) -> None:
    assert "one channel per quality" in text(operator.client.get("/channel/setup/"))
    wrong = operator.client.post("/channel/setup/", {"way": "other", "name": ""})
    assert wrong.status_code == 422
    for _ in range(2):
        answer = operator.client.post("/channel/setup/", {"way": "existing", "name": "Canal"}, follow=True)
    assert "one channel per quality" in text(answer), "the second time says why not"
    with operator.scope():
        channel = Channel.objects.get()
        assert channel.quality == operator.mandataire.quality
    assert "Being set up" in text(operator.client.get("/channel/"))


def test_the_page_says_what_is_missing_and_who_acts(channel: Channel, operator: Person) -> None:
    shown = text(operator.client.get("/channel/setup/"))
    assert "0 of 9 done" in shown
    assert "Who acts: Chaman user" in shown
    assert "Nothing leaves before this step." in shown


def test_nothing_can_be_sent_before_the_channel_is_in_service(channel: Channel, operator: Person) -> None:
    shown = html.fromstring(operator.client.get("/channel/").content)
    assert shown.xpath("//main//form[contains(@action, 'depart')]") == []


# --- limits and permissions ---


@pytest.mark.parametrize(
    ("sent", "is_kept"), [("1", True), ("32", True), ("0", False), ("33", False), ("", False)]
)
def test_files_at_once_are_a_setting(channel: Channel, operator: Person, sent: str, is_kept: bool) -> None:
    answer = operator.client.post("/channel/settings/", settings_of(channel, files_at_once=sent))
    assert answer.status_code == (302 if is_kept else 422)
    with operator.scope():
        assert Channel.objects.get().files_at_once == (int(sent) if is_kept else 32)
    shown = text(operator.client.get("/channel/setup/"))
    assert ("one at a time · 1 file at once" in shown) is (sent == "1")


def test_a_permission_without_a_service_is_noted_and_carries_nothing(
    channel: Channel, operator: Person
) -> None:
    operator.client.post(
        "/channel/settings/",
        settings_of(channel, permissions=["FLA"], noted_permissions=["ECARO", "PUBLIATO"]),
    )
    with operator.scope():
        kept = Channel.objects.get()
        assert (kept.services, kept.noted_permissions) == (["FLA"], ["ECARO", "PUBLIATO"])
    assert "Tick: CareerPro - FLA, Ecaro batch, Publiato" in text(operator.client.get("/channel/chaman/"))
    shown = text(operator.client.get("/channel/setup/"))
    assert "Services CareerPro - FLA Held, nothing is sent from here Ecaro batch, Publiato" in shown
    page = html.fromstring(operator.client.get("/channel/settings/").content)
    ticked = page.xpath("//input[@name='noted_permissions'][@checked]/@value")
    assert ticked == ["ECARO", "PUBLIATO"]
    alone = settings_of(channel, permissions=[], noted_permissions=["PENSIONS"])
    assert operator.client.post("/channel/settings/", alone).status_code == 422, "nothing could leave"
    assert (
        operator.client.post("/channel/settings/", settings_of(channel, permissions=["ECARO"])).status_code
        == 422
    )


# --- settings ---------------------------------------------------------------------------------------


def test_settings_are_kept_and_told(channel: Channel, operator: Person) -> None:
    answer = operator.client.post("/channel/settings/", settings_of(channel, sender_number="104 21 7"))
    assert answer.status_code == 422, "eight characters are no sender number"
    answer = operator.client.post(
        "/channel/settings/",
        settings_of(
            channel,
            sender_number="104217",
            permissions=["FLA", "DIMONA"],
            max_file_megabytes=20,
            can_list_in="",
        ),
    )
    assert answer.status_code == 302
    with operator.scope():
        kept = Channel.objects.get()
        assert (kept.username, kept.sender_number, kept.services) == (
            "essai",
            "104217",
            ["FLA", "DIMN", "PFRQ"],
        )
        assert (kept.max_file_bytes, kept.can_list_in, kept.signs_tests) == (20_000_000, False, True)
        assert Event.objects.get(verb="channel.changed").actor_name == "operator"
    assert "changed the settings of the channel Canal" in operator.client.get("/journal/").content.decode()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("sender_number", "12345", "six digits"),
        ("sender_number", "12345x", "six digits"),
        ("sender_number", "١٢٣٤٥٦", "six digits"),
        ("username", "../etc", "letters, digits"),
        ("permissions", [], "at least one"),
        ("permissions", ["TELEPATHY"], "TELEPATHY"),
        ("host", "169.254.169.254", "does not connect to that server"),
        ("host", "localhost", "PORTAL_CHANNEL_HOSTS"),
        ("port", 0, "greater than or equal"),
        ("port", 70000, "less than or equal"),
        ("max_file_megabytes", 0, "greater than or equal"),
        ("directory_R_0", "IN/../../etc", "one name"),
        ("directory_R_0", "..", "one name"),
        ("directory_R_0", "/IN", "one name"),
        ("directory_S_1", "OUT", "named twice"),
        ("directory_T_0", "", "needed"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_at_its_field(
    channel: Channel, operator: Person, field: str, value: Any, words: str
) -> None:
    answer = operator.client.post("/channel/settings/", settings_of(channel, **{field: value}))
    assert answer.status_code == 422
    tree = html.fromstring(answer.content)
    (summary,) = tree.xpath("//*[contains(@class, 'error-summary')]")
    assert words in summary.text_content()
    assert f"#id_{field}" in summary.xpath(".//a/@href")
    with operator.scope():
        assert Channel.objects.get().username == ""


def test_an_installation_says_to_which_hosts_it_connects(
    channel: Channel, operator: Person, settings: Any
) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"channel_hosts": "sftp.example.be, 127.0.0.1"})
    answer = operator.client.post("/channel/settings/", settings_of(channel, host="SFTP.example.be"))
    assert answer.status_code == 302
    with operator.scope():
        assert Channel.objects.get().host == "sftp.example.be"


def test_a_sender_number_of_another_organisation_is_refused(
    channel: Channel, operator: Person, stranger: Person
) -> None:
    with stranger.scope():
        factories.channel(sender_number="104217", name="Secret")
    answer = operator.client.post("/channel/settings/", settings_of(channel, sender_number="104217"))
    assert answer.status_code == 422
    assert "Another organisation" in text(answer)
    assert "Secret" not in answer.content.decode()


# --- environment ------------------------------------------------------------------------------------


def test_production_asks_whether_it_is_meant(channel: Channel, operator: Person) -> None:
    answer = operator.client.post("/channel/environment/", {"environment": "R"})
    assert answer.status_code == 422
    assert "Tick this" in text(answer)
    with operator.scope():
        assert Channel.objects.get().environment == "S"
    operator.client.post("/channel/environment/", {"environment": "R", "is_meant": "on"})
    with operator.scope():
        assert Channel.objects.get().environment == "R"
    operator.client.post("/channel/environment/", {"environment": "T"})
    with operator.scope():
        assert Channel.objects.get().environment == "T"
        assert Event.objects.filter(verb="channel.environment_changed").count() == 2


def test_there_are_three_environments(channel: Channel, operator: Person) -> None:
    assert operator.client.post("/channel/environment/", {"environment": "X"}).status_code == 422


# --- Chaman -----------------------------------------------------------------------------------------


def test_chaman_is_told_public_halves_only(channel: Channel, operator: Person) -> None:
    assert "There is no SSH key yet." in text(operator.client.get("/channel/chaman/"))
    with operator.scope():
        factories.vault.store_ssh_key(channel, factories.ssh_private_key())
        factories.vault.store_signing_key(channel, *factories.signing_pair())
        setting_up.change(channel, username="essai", services=["FLA", "WECH"])
    page = operator.client.get("/channel/chaman/").content.decode()
    for expected in ("ssh-ed25519 AAAA", "Canal d&#x27;essai", "essai", "CareerPro - FLA, Social risks"):
        assert expected in page
    assert "PRIVATE" not in page
    operator.client.post("/channel/chaman/")
    with operator.scope():
        assert Channel.objects.get().chaman_told_at is not None
        assert Event.objects.filter(verb="channel.chaman_told").count() == 1


# --- the server -------------------------------------------------------------------------------------


def test_a_key_is_accepted_only_by_who_compared_it(channel: Channel, operator: Person) -> None:
    sent = {"line": factories.HOST_KEY}
    answer = operator.client.post("/channel/server/", sent)
    assert answer.status_code == 422
    assert setting_up.vault.ssh_fingerprint(factories.HOST_KEY) in text(answer), "it stays, to be compared"
    operator.client.post("/channel/server/", {**sent, "is_compared": "on"})
    with operator.scope():
        assert Channel.objects.get().host_key == factories.HOST_KEY


@pytest.mark.parametrize(
    "line", ["", "nonsense", "ssh-ed25519 !!!", "ssh-rsa " + factories.HOST_KEY.split()[1]]
)
def test_what_is_no_key_is_not_pinned(channel: Channel, operator: Person, line: str) -> None:
    operator.client.post("/channel/server/", {"line": line, "is_compared": "on"})
    with operator.scope():
        assert Channel.objects.get().host_key == ""


def test_a_server_that_does_not_answer_is_told(
    channel: Channel, operator: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(channel: Channel) -> str:
        raise ConnectionLost({"detail": "refused"})

    monkeypatch.setattr(verifying, "ask_server_key", nobody)
    answer = operator.client.post("/channel/server/")
    assert "did not show its key" in text(answer)


def test_once_in_service_the_key_is_not_changed_here(operator: Person) -> None:
    with operator.scope():
        factories.channel()
    other = "ssh-ed25519 " + factories.HOST_KEY.split()[1][:-4] + "AAAA"
    answer = operator.client.post("/channel/server/", {"line": other, "is_compared": "on"}, follow=True)
    assert "in service" in text(answer)
    with operator.scope():
        assert Channel.objects.get().host_key == factories.HOST_KEY


# --- verification and service -----------------------------------------------------------------------


def found_by(monkeypatch: pytest.MonkeyPatch, *checks: Check) -> None:
    monkeypatch.setattr(verifying, "verify", lambda channel: list(checks))


def test_only_a_whole_verification_counts(
    channel: Channel, operator: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Check("server", "The server answers", "127.0.0.1:8022")
    bad = Check("log-in", "Log-in", fault="Refused <b>.", remedy="Compare.", who=Who.CHAMAN)
    found_by(monkeypatch, good, bad, Check("answers", "Answers", is_open=True))
    shown = text(operator.client.post("/channel/verify/"))
    for expected in (
        "1 check does not hold",
        "Refused <b>.",
        "Compare.",
        "Who acts: Chaman user",
        "Looked at once",
    ):
        assert expected in shown
    with operator.scope():
        assert Channel.objects.get().verified_at is None
    found_by(monkeypatch, good, Check("answers", "Answers", is_open=True))
    operator.client.post("/channel/verify/")
    with operator.scope():
        assert Channel.objects.get().verified_at is None, "what was not looked at does not hold"
    found_by(monkeypatch, good)
    assert "Every check holds" in text(operator.client.post("/channel/verify/"))
    with operator.scope():
        assert Channel.objects.get().verified_at is not None


def test_the_last_step_asks_first_and_needs_the_others(channel: Channel, operator: Person) -> None:
    assert "without anybody pressing a button" in text(operator.client.get("/channel/service/"))
    assert "Verify the channel first" in text(operator.client.post("/channel/service/", follow=True))
    with tenancy.scope(operator.mandataire.pk):
        setting_up.change(channel, sender_number="104217")
        setting_up.note_verified(channel)
    assert "is in service" in text(operator.client.post("/channel/service/", follow=True))
    with operator.scope():
        assert not Channel.objects.get().is_paused
