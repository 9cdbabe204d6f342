"""Forms of the set-up. Secrets that are typed or uploaded are read once, and never shown again."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels import setting_up
from channels.generating import SshKind
from channels.models import Channel, EnvironmentCode
from channels.naming import Environment
from channels.pipelining import OPEN_AT_ONCE
from channels.reserving import BRUSSELS, today
from portal.permissions import PERMISSIONS, noted, permissions_of, services_of

_REQUIRED: Final = {"required": _("This is needed: fill it in.")}
LARGEST_KEY_FILE: Final = 100_000
_DIRECTORY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_USERNAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MEGABYTE: Final = 1_000_000


class StartForm(forms.Form):
    """How the set-up begins."""

    way = forms.ChoiceField(
        label=_("What does Chaman know?"),
        help_text=_(
            "An organisation that sends Dimona or DmfA files by SFTP in this quality has a channel already."
        ),
        choices=Channel.Way,
        widget=forms.RadioSelect,
        error_messages=_REQUIRED,
    )
    name = forms.CharField(
        label=_("Name of the channel"),
        help_text=_("Yours, to recognise it on the pages of this portal."),
        max_length=100,
        error_messages=_REQUIRED,
    )


class SettingsForm(forms.Form):
    """What the channel is called, where it leads, and what it carries."""

    name = forms.CharField(
        label=_("Name of the channel"),
        help_text=_("Yours, to recognise it on the pages of this portal."),
        max_length=100,
        error_messages=_REQUIRED,
    )
    username = forms.CharField(
        label=_("Technical user name"),
        help_text=_("As in Chaman; the portal logs in under it."),
        max_length=64,
        error_messages=_REQUIRED,
    )
    sender_number = forms.CharField(
        label=_("Sender number"),
        help_text=_("Six digits. It comes with the first channel of a quality; until then leave it empty."),
        required=False,
        max_length=6,
    )
    permissions = forms.MultipleChoiceField(
        label=_("Secured permissions"),
        help_text=_("The services that are ticked for this channel in Chaman."),
        choices=[(found.code, found.name) for found in PERMISSIONS if found.services],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick at least one service.")},
    )
    noted_permissions = forms.MultipleChoiceField(
        label=_("Permissions held, under which this portal sends nothing"),
        help_text=_(
            "Ticked in Chaman for other software of the same channel. Noted here, so that the list is that of Chaman; "
            "their answers stay on the server for that software."
        ),
        choices=[(found.code, found.name) for found in noted()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    host = forms.CharField(label=_("Server"), max_length=255, error_messages=_REQUIRED)
    port = forms.IntegerField(label=_("Port"), min_value=1, max_value=65535, error_messages=_REQUIRED)
    max_file_megabytes = forms.IntegerField(
        label=_("Largest file (MB)"),
        help_text=_("What is larger goes into the next file of the set."),
        min_value=1,
        max_value=150,
        error_messages=_REQUIRED,
    )
    files_at_once = forms.IntegerField(
        label=_("Files under way at once"),
        help_text=_(
            "The channel has one connection at a time, always: what social security allows is shared with other "
            "software of the same sender. Fewer files at once when the server refuses to open more; 1 is one after the "
            "other."
        ),
        min_value=1,
        max_value=OPEN_AT_ONCE,
        error_messages=_REQUIRED,
    )
    allows_ssh_rsa = forms.BooleanField(
        label=_("Allow the old ssh-rsa signature (SHA-1), after the modern ones were refused"), required=False
    )
    can_list_in = forms.BooleanField(
        label=_("The directory of uploads may be listed, to look after an interrupted drop"), required=False
    )
    signs_tests = forms.BooleanField(label=_("Sets of the circuit test are signed"), required=False)

    def __init__(self, channel: Channel, data: Any = None) -> None:
        initial = {name: getattr(channel, name) for name in self.base_fields if hasattr(channel, name)}
        initial["permissions"] = [found.code for found in permissions_of(channel.services)]
        initial["max_file_megabytes"] = channel.max_file_bytes // _MEGABYTE
        super().__init__(data, initial=initial)
        self.channel = channel
        self.fields["host"].help_text = gettext("This installation connects to: %(hosts)s.") % {
            "hosts": ", ".join(settings.CONFIG.channel_hosts.split(","))
        }
        for place in Environment:
            for index, label in enumerate((gettext("%(place)s: uploads"), gettext("%(place)s: answers"))):
                self.fields[f"directory_{place.value}_{index}"] = forms.CharField(
                    label=label % {"place": place.label},
                    initial=channel.directories[place.value][index],
                    max_length=64,
                    error_messages=_REQUIRED,
                )

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under their headings."""
        directories = [self[name] for name in self.fields if name.startswith("directory_")]
        return [
            (
                gettext("The channel"),
                [
                    self[name]
                    for name in ("name", "username", "sender_number", "permissions", "noted_permissions")
                ],
            ),
            (
                gettext("The server"),
                [self[name] for name in ("host", "port", "max_file_megabytes", "files_at_once")],
            ),
            (gettext("Directories"), directories),
        ]

    def switches(self) -> list[forms.BoundField]:
        """The fields to tick."""
        return [self[name] for name in ("can_list_in", "signs_tests", "allows_ssh_rsa")]

    def clean_username(self) -> str:
        """No path, no sign of a shell."""
        username: str = self.cleaned_data["username"]
        if not _USERNAME.fullmatch(username):
            raise ValidationError(_("A user name has letters, digits, dots, hyphens and underscores only."))
        return username

    def clean_sender_number(self) -> str:
        """Six digits, or nothing as long as the channel is being set up."""
        number: str = self.cleaned_data["sender_number"].replace(" ", "")
        if number and not (number.isascii() and number.isdigit() and len(number) == 6):
            raise ValidationError(_("A sender number has six digits, zeros in front included: 012345."))
        if not number and self.channel.is_set_up:
            raise ValidationError(_("A channel in service has a sender number."))
        return number

    def clean_host(self) -> str:
        """One of the hosts this installation may connect to."""
        host: str = self.cleaned_data["host"].lower()
        # What it names already stays: an administrator may have set it otherwise.
        if host != self.channel.host and not setting_up.may_name(host):
            raise ValidationError(
                _("This installation does not connect to that server. Its administrator decides (%(name)s)."),
                params={"name": "PORTAL_CHANNEL_HOSTS"},
            )
        return host

    def clean(self) -> dict[str, Any]:
        """Six directories, each one element of a path, and no two the same: environments never mix."""
        cleaned = super().clean() or {}
        seen: dict[str, str] = {}
        for name in [name for name in self.fields if name.startswith("directory_")]:
            value = cleaned.get(name)
            if not value:
                continue
            if not _DIRECTORY.fullmatch(value):
                self.add_error(
                    name, _("A directory is one name of letters, digits, dots, hyphens and underscores.")
                )
            elif value in seen:
                self.add_error(
                    name,
                    _("This directory is named twice: environments, and uploads and answers, never mix."),
                )
            seen[value] = name
        return cleaned

    def values(self) -> dict[str, Any]:
        """What `setting_up.change` takes."""
        plain = (
            *("name", "username", "sender_number", "host", "port", "files_at_once", "noted_permissions"),
            *("allows_ssh_rsa", "can_list_in", "signs_tests"),
        )
        found = {name: self.cleaned_data[name] for name in plain}
        found["services"] = services_of(self.cleaned_data["permissions"])
        found["max_file_bytes"] = self.cleaned_data["max_file_megabytes"] * _MEGABYTE
        found["directories"] = {
            place.value: [self.cleaned_data[f"directory_{place.value}_{index}"] for index in (0, 1)]
            for place in Environment
        }
        return found


class EnvironmentForm(forms.Form):
    """Where sets go from now on. Production asks whether it is meant."""

    environment = forms.ChoiceField(
        label=_("Sets are made for"),
        choices=[(code.value, code.label) for code in reversed(EnvironmentCode)],
        widget=forms.RadioSelect,
        error_messages=_REQUIRED,
    )
    is_meant = forms.BooleanField(
        label=_("Yes, production: from the next departure on, what is ready is declared for good"),
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        """Production is never a slip of the mouse."""
        cleaned = super().clean() or {}
        if cleaned.get("environment") == EnvironmentCode.PRODUCTION and not cleaned.get("is_meant"):
            self.add_error("is_meant", _("Tick this to go to production."))
        return cleaned


class KeyFileField(forms.FileField):
    """A file with a key or certificate. In Python: its bytes, or nothing."""

    def __init__(self, accept: str, **kwargs: Any) -> None:
        kwargs["error_messages"] = dict.fromkeys(
            ("required", "missing", "empty", "invalid"), _("Choose a file that is not empty.")
        )
        super().__init__(widget=forms.FileInput(attrs={"accept": accept}), **kwargs)

    def clean(self, data: Any, initial: Any = None) -> bytes:
        """Reads the file, which is small."""
        found = super().clean(data, initial)
        if not found:
            return b""
        if found.size > LARGEST_KEY_FILE:
            raise ValidationError(_("This file is too large to be a key or a certificate."))
        content: bytes = found.read()
        return content


class TakeoverForm(forms.Form):
    """A day on which a key takes over."""

    takes_over_on = forms.DateField(
        label=_("Takes over on"),
        help_text=_("From the first minute of that day. Leave it empty to take over at once."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )

    def clean_takes_over_on(self) -> date | None:
        """A day to come."""
        day: date | None = self.cleaned_data["takes_over_on"]
        if day and day <= today():
            raise ValidationError(_("Choose a day after today, or leave it empty to take over at once."))
        return day

    def usable_from(self) -> datetime | None:
        """The first moment of that day in Belgium, or None for at once."""
        day = self.cleaned_data.get("takes_over_on")
        return datetime.combine(day, time(), BRUSSELS) if day else None


class _NextKeyForm(TakeoverForm):
    """A key beside one that is in use may take over later; the first one takes over at once."""

    def __init__(self, *args: Any, has_one: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if has_one:
            earliest = timezone.localdate() + timedelta(days=1)
            self.fields["takes_over_on"].widget.attrs["min"] = earliest.isoformat()
        else:
            del self.fields["takes_over_on"]


def _passphrase() -> forms.CharField:
    return forms.CharField(
        label=_("Passphrase of the file"),
        help_text=_("Used once, to open it; it is not kept. Leave it empty for a file without one."),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )


class GenerateForm(_NextKeyForm):
    """An SSH key to make here."""

    kind = forms.ChoiceField(label=_("Kind of key"), choices=SshKind, error_messages=_REQUIRED)
    field_order = ("kind", "takes_over_on")


class SshUploadForm(_NextKeyForm):
    """An SSH key that exists."""

    file = KeyFileField(
        ".pem,.key,.p12,.pfx,.der",
        label=_("Private SSH key"),
        help_text=_("OpenSSH, PEM or PKCS#12 (.p12, .pfx): Ed25519, ECDSA, or RSA of at least 2048 bits."),
    )
    passphrase = _passphrase()
    field_order = ("file", "passphrase", "takes_over_on")


class RequestForm(forms.Form):
    """A certificate to ask for."""

    name = forms.CharField(
        label=_("Name in the certificate"),
        help_text=_("The issuer may write another one."),
        max_length=64,
        error_messages=_REQUIRED,
    )


class AnswerForm(_NextKeyForm):
    """The certificate that was issued for the request."""

    file = KeyFileField(
        ".cer,.crt,.pem,.der",
        label=_("Certificate"),
        help_text=_("The .cer, .crt or .pem file that the issuer sent."),
    )
    field_order = ("file", "takes_over_on")


class CertificateUploadForm(_NextKeyForm):
    """A certificate that exists, with its private key."""

    file = KeyFileField(
        ".p12,.pfx,.pem,.key,.der",
        label=_("PKCS#12 file, or private key"),
        help_text=_("A .p12 or .pfx file holds both halves; a .pem file may."),
    )
    certificate = KeyFileField(
        ".cer,.crt,.pem,.der",
        label=_("Certificate, when it is a file apart"),
        help_text=_("Only beside a private key without its certificate."),
        required=False,
    )
    passphrase = _passphrase()
    field_order = ("file", "certificate", "passphrase", "takes_over_on")


class RestCertificateForm(forms.Form):
    """A certificate to look at. The private half is not needed, and goes nowhere where it is there."""

    file = KeyFileField(
        ".cer,.crt,.pem,.der,.p12,.pfx",
        label=_("Certificate"),
        help_text=_(
            "A .cer, .crt or .pem file, or PKCS#12 (.p12, .pfx). A private key in it is not used and not kept."
        ),
    )
    passphrase = forms.CharField(
        label=_("Passphrase of the file"),
        help_text=_("Only for PKCS#12. Used once, to open it; it is not kept."),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )


class ServerKeyForm(forms.Form):
    """The key that the server showed, as the person who compared it saw it."""

    line = forms.CharField(widget=forms.HiddenInput, max_length=4000)
    is_compared = forms.BooleanField(
        label=_("I compared this fingerprint with the one that social security gives"),
        error_messages={"required": _("Compare the fingerprint first, then tick this.")},
    )
