"""The shared channel, its credentials, what was put on it and what came back."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from channels.naming import Environment, SetName, usual_directories
from channels.pipelining import OPEN_AT_ONCE
from portal.models import Mandataire, TenantKey, TenantModel, cipher

FILE = "file"


class EnvironmentCode(models.TextChoices):
    """The last letter of a file name: where a set goes and where its answers come from."""

    PRODUCTION = "R", _("Production")
    TEST = "T", _("Circuit test")
    SIMULATION = "S", _("Simulation")


class Channel(TenantModel):
    """The one SFTP channel of a mandataire in one quality, shared by all its services and clients.

    Sizes are bytes, pauses seconds. `sequence_prefix` is the first character of every sequence this portal uses, so
    that other software of the same sender cannot take the same name; `is_exclusive` says that there is none, so that
    every answer that comes in is ours. `services` are codes of services, as `portal.permissions` gives them;
    `noted_permissions` those of permissions that the channel holds and under which this portal sends nothing.
    `files_at_once` bounds the files that are open over there while a departure puts its sets: the channel has one
    connection at a time, always. `directories` maps each environment to the directory of uploads and that of answers.

    A channel that is being set up is paused and not `is_set_up`; until social security has given it one, its sender
    number is empty. `verified_at` is when every check of the set-up last held; a change that may break one empties it.

    `is_paused`: no contact but one that a person asks for, because it is being set up, because somebody paused it
    (`paused_at`), because nothing succeeded any more (`broken_at`, after `failures` in a row since `failing_since`) or
    because the server shows another key (`other_host_key`, an OpenSSH line). Only `channels.stopping` and
    `channels.setting_up` write these. `host_key_proposed_by` is the id of the user who asks for the other key to be
    accepted.
    """

    class Way(models.TextChoices):
        """Whether Chaman knows the channel already: the official steps differ."""

        NEW = "new", _("A new channel")
        EXISTING = "existing", _("A channel that exists already")

    quality = models.CharField(max_length=20, choices=Mandataire.Quality)
    name = models.CharField(max_length=100)
    sender_number = models.CharField(max_length=6, blank=True)
    username = models.CharField(max_length=64)
    host = models.CharField(max_length=255, default="sftp.socialsecurity.be")
    port = models.PositiveIntegerField(default=8022)
    host_key = models.TextField(blank=True)
    directories = models.JSONField(default=usual_directories)
    services = ArrayField(models.CharField(max_length=16), default=list)
    noted_permissions = ArrayField(models.CharField(max_length=16), default=list)
    environment = models.CharField(max_length=1, choices=EnvironmentCode, default=EnvironmentCode.SIMULATION)
    sequence_prefix = models.CharField(max_length=1, default="P")
    max_file_bytes = models.PositiveIntegerField(default=50_000_000)
    files_at_once = models.PositiveSmallIntegerField(default=OPEN_AT_ONCE)
    allows_ssh_rsa = models.BooleanField(default=False)
    can_list_in = models.BooleanField(default=True)
    signs_tests = models.BooleanField(default=True)
    is_paused = models.BooleanField(default=False)
    way = models.CharField(max_length=10, choices=Way, default=Way.EXISTING)
    is_set_up = models.BooleanField(default=True)
    chaman_told_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    departs_at = models.DateTimeField(null=True)
    collects_at = models.DateTimeField(null=True)
    last_contact_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    is_exclusive = models.BooleanField(default=False)
    paused_at = models.DateTimeField(null=True)
    pause_reason = models.TextField(blank=True)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    broken_at = models.DateTimeField(null=True)
    host_key_since = models.DateTimeField(null=True)
    other_host_key = models.TextField(blank=True)
    other_host_key_at = models.DateTimeField(null=True)
    host_key_proposed_by = models.BigIntegerField(null=True)
    host_key_proposed_at = models.DateTimeField(null=True)
    host_key_reason = models.TextField(blank=True)
    last_probe = models.JSONField(null=True)
    watched_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["mandataire", "quality"], name="one_channel_per_quality"),
            models.UniqueConstraint(
                fields=["sender_number"], condition=~Q(sender_number=""), name="one_channel_per_sender"
            ),
            models.CheckConstraint(
                condition=~Q(sender_number="") | Q(is_set_up=False), name="in_service_with_sender"
            ),
            models.CheckConstraint(
                condition=Q(files_at_once__range=(1, OPEN_AT_ONCE)), name="some_files_at_once"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def upload_directory(self, environment: str) -> str:
        """Where FI, FS and GO of `environment` (R, T or S) are put."""
        return str(self.directories[Environment(environment).value][0])

    def answer_directory(self, environment: str) -> str:
        """Where the answers of `environment` (R, T or S) wait."""
        return str(self.directories[Environment(environment).value][1])


class CredentialQuerySet(models.QuerySet["Credential"]):
    """Questions about keys."""

    def in_use(self, now: datetime) -> CredentialQuerySet:
        """Those that have taken over by `now`; the first of each kind is the one in use."""
        return self.filter(usable_from__lte=now).order_by("-usable_from", "-pk")


class Credential(TenantModel):
    """A private half, sealed, beside its public half. Only `vault` opens it.

    Of the credentials of one kind, the one whose `usable_from` passed last is in use; a later one is next, an earlier
    one stays until somebody removes it. `public` is what Chaman is given: a line for OpenSSH, a certificate, or the
    certificate request of a key that still awaits its certificate, all as text.

    The certificate of a REST account is kept to be warned before it ends, without a private half: `sealed` is empty.
    """

    class Kind(models.TextChoices):
        """What the key is for."""

        SSH = "ssh", _("SSH key")
        SIGNING = "signing", _("Signing certificate")
        REQUEST = "request", _("Certificate request")
        REST = "rest", _("Certificate of a REST account")

    channel = TenantKey(Channel, on_delete=models.CASCADE, related_name="credentials")
    kind = models.CharField(max_length=10, choices=Kind)
    sealed = models.BinaryField()
    public = models.TextField()
    fingerprint = models.CharField(max_length=100)
    expires_at = models.DateTimeField(null=True)
    usable_from = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "channel", "kind", "fingerprint"], name="one_credential_per_key"
            ),
            models.UniqueConstraint(
                fields=["mandataire", "channel"], condition=Q(kind="request"), name="one_certificate_request"
            ),
            models.CheckConstraint(
                condition=~Q(kind="rest") | Q(sealed=b"", expires_at__isnull=False),
                name="no_private_half_of_rest",
            ),
        )


class ReservedName(TenantModel):
    """A file name taken before anything is rendered under it. A row is never given back, whatever comes of the set.

    Unique without the application code, although the rule counts it: two services of one sender sharing a day's
    sequences would leave nothing to tell their sets apart in a log or on the telephone.
    """

    channel = TenantKey(Channel, on_delete=models.PROTECT, related_name="names")
    sender_number = models.CharField(max_length=6)
    application_code = models.CharField(max_length=4)
    day = models.DateField()
    environment = models.CharField(max_length=1, choices=EnvironmentCode)
    counter = models.PositiveIntegerField()
    sequence = models.CharField(max_length=5)
    reserved_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["sender_number", "day", "environment", "sequence"], name="one_use_of_a_name"
            ),
        )

    def as_set_name(self) -> SetName:
        """The name in its pure form, which builds the names of FI, FS and GO."""
        return SetName(
            application=self.application_code,
            sender=self.sender_number,
            day=self.day,
            sequence=self.sequence,
            environment=Environment(self.environment),
        )


class Envelope(TenantModel):
    """One sealed set, made of parts. Inserted once, never changed. `certificate` is the signer's fingerprint."""

    channel = TenantKey(Channel, on_delete=models.PROTECT, related_name="envelopes")
    name = TenantKey(ReservedName, on_delete=models.PROTECT, related_name="+")
    stem = models.CharField(max_length=40)
    environment = models.CharField(max_length=1, choices=EnvironmentCode)
    service = models.CharField(max_length=16)
    certificate = models.CharField(max_length=100, blank=True)
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["mandataire", "name"], name="one_envelope_per_name"),
            models.UniqueConstraint(fields=["mandataire", "stem"], name="one_envelope_per_stem"),
        )

    def __str__(self) -> str:
        return self.stem


class EnvelopePart(TenantModel):
    """One FI and its FS, byte for byte as they travel. The bytes are sealed at rest: they hold personal numbers."""

    envelope = TenantKey(Envelope, on_delete=models.PROTECT, related_name="parts")
    part = models.PositiveSmallIntegerField()
    forms_count = models.PositiveSmallIntegerField()
    fi_sealed = models.BinaryField()
    fi_sha256 = models.CharField(max_length=64)
    fi_size = models.PositiveIntegerField()
    fs_sealed = models.BinaryField()
    fs_size = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["mandataire", "envelope", "part"], name="one_row_per_part"),
        )

    @property
    def fi(self) -> bytes:
        """The exact bytes of the FI."""
        return cipher().open_bytes(FILE, bytes(self.fi_sealed))

    @property
    def fs(self) -> bytes:
        """The exact bytes of the FS; empty where the environment wants none."""
        return cipher().open_bytes(FILE, bytes(self.fs_sealed)) if self.fs_size else b""


class Drop(TenantModel):
    """One attempt to put an envelope on the channel. At most one attempt of an envelope has not failed."""

    class State(models.TextChoices):
        """How far the attempt came; `unknown` asks to go and look over there."""

        STARTED = "started", _("being dropped")
        GO_INTENDED = "go_intended", _("about to put GO")
        CONFIRMED = "confirmed", _("dropped")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("to be looked at")

    envelope = TenantKey(Envelope, on_delete=models.PROTECT, related_name="drops")
    state = models.CharField(max_length=16, choices=State, default=State.STARTED)
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    go_intended_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "envelope"],
                condition=~Q(state="failed"),
                name="one_live_drop_per_envelope",
            ),
            # No way leads back to `started` once GO may be there, and none to GO without the intention.
            models.CheckConstraint(
                condition=~Q(state="started") | Q(go_intended_at__isnull=True), name="started_before_go"
            ),
            models.CheckConstraint(
                condition=~Q(state="go_intended") | Q(go_intended_at__isnull=False),
                name="go_intended_has_time",
            ),
        )
        indexes = (models.Index(fields=["mandataire", "envelope"], name="drop_by_envelope"),)


class InboundFile(TenantModel):
    """One answer as it came, with its signature. The bytes are sealed at rest and never thrown away.

    `alarm` says in a word why it is one; `reason` says it, and whatever else is to be known, in a sentence.
    """

    class State(models.TextChoices):
        """Whether the portal could make something of it."""

        STORED = "stored", _("received")
        APPLIED = "applied", _("processed")
        UNMATCHED = "unmatched", _("matches nothing")
        UNREADABLE = "unreadable", _("unreadable")

    class Alarm(models.TextChoices):
        """Why an answer, or a line of it, was not applied although it could be read."""

        ENVIRONMENT = "environment", _("of another environment")
        SENDER = "sender", _("for another sender")
        CONTRADICTION = "contradiction", _("contradicts an earlier one")

    channel = TenantKey(Channel, on_delete=models.PROTECT, related_name="inbound_files")
    envelope = TenantKey(Envelope, on_delete=models.PROTECT, null=True, related_name="answers")
    environment = models.CharField(max_length=1, choices=EnvironmentCode)
    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=20, blank=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    content_sealed = models.BinaryField()
    signature_sealed = models.BinaryField(null=True)
    state = models.CharField(max_length=16, choices=State, default=State.STORED)
    alarm = models.CharField(max_length=16, choices=Alarm, blank=True, default="", db_default="")
    reason = models.TextField(blank=True)
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    deleted_there_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "channel", "name", "sha256"], name="one_row_per_answer"
            ),
        )
        indexes = (
            models.Index(fields=["mandataire", "state", "id"], name="inbound_by_state"),
            models.Index(
                fields=["mandataire", "channel", "environment"],
                condition=Q(deleted_there_at__isnull=True),
                name="inbound_to_delete",
            ),
            models.Index(fields=["mandataire", "envelope"], name="inbound_by_envelope"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def content(self) -> bytes:
        """The exact bytes of the file as it lay in OUT (a CO as its zip)."""
        return cipher().open_bytes(FILE, bytes(self.content_sealed))


class LeftAnswer(TenantModel):
    """An answer that stays in OUT because it is not ours alone to delete; a memory, so that it is not fetched again.

    A row goes when the file over there goes. `modified_at` is the second that the server tells (Unix time), `looks`
    how often it was looked into; `kept` is our copy, where there is one.
    """

    channel = TenantKey(Channel, on_delete=models.CASCADE, related_name="left_answers")
    environment = models.CharField(max_length=1, choices=EnvironmentCode)
    name = models.CharField(max_length=64)
    size = models.BigIntegerField()
    modified_at = models.BigIntegerField()
    looks = models.PositiveSmallIntegerField(default=1)
    looked_at = models.DateTimeField()
    first_seen_at = models.DateTimeField()
    kept = TenantKey(InboundFile, on_delete=models.CASCADE, null=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "channel", "environment", "name"], name="one_row_per_left_answer"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Departure(TenantModel):
    """When one service leaves over one channel, where that is not the rhythm of the installation.

    `minutes` count from midnight in Belgium, in order; `departs_at` is the next moment.
    """

    channel = TenantKey(Channel, on_delete=models.CASCADE, related_name="departures")
    service = models.CharField(max_length=16)
    minutes = ArrayField(models.PositiveSmallIntegerField())
    is_on_working_days = models.BooleanField(default=True)
    departs_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "channel", "service"], name="one_departure_per_service"
            ),
        )


class Alarm(TenantModel):
    """Something about a channel that somebody must know: raised once, told once, ended when it is over."""

    class Kind(models.TextChoices):
        """What it is about; `certificate_N` and `rest_N`: that many days before its end, or fewer."""

        HOST_KEY = "host_key", _("The server shows another key")
        BROKEN = "broken", _("The channel stopped trying")
        NO_CONTACT = "no_contact", _("No contact with social security")
        UNSENT = "unsent", _("Declarations have not left")
        UNANSWERED = "unanswered", _("Social security does not answer")
        CONTRADICTED = "contradicted", _("Social security contradicts itself")
        NOT_FOR_HERE = "not_for_here", _("An answer was not applied")
        CERTIFICATE_60 = "certificate_60", _("The certificate ends within 60 days")
        CERTIFICATE_30 = "certificate_30", _("The certificate ends within 30 days")
        CERTIFICATE_7 = "certificate_7", _("The certificate ends within a week")
        CERTIFICATE_1 = "certificate_1", _("The certificate ends within a day or has ended")
        REST_60 = "rest_60", _("A certificate of a REST account ends within 60 days")
        REST_30 = "rest_30", _("A certificate of a REST account ends within 30 days")
        REST_7 = "rest_7", _("A certificate of a REST account ends within a week")
        REST_1 = "rest_1", _("A certificate of a REST account ends within a day or has ended")

    channel = TenantKey(Channel, on_delete=models.CASCADE, related_name="alarms")
    kind = models.CharField(max_length=20, choices=Kind)
    since = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "channel", "kind"],
                condition=Q(ended_at=None),
                name="one_open_alarm_per_kind",
            ),
        )
