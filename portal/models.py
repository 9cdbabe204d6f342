"""The house's own tables: the Mandataire (the tenant), its people, and the Events that prove what was done."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as BaseUserManager
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import F, OuterRef, Q
from django.db.models.functions import JSONObject, Upper
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from portal import keys, tenancy
from portal.profiles import OF_CLIENTS as OF_CLIENTS
from portal.profiles import PROFILES as PROFILES
from portal.profiles import AnyProfile as AnyProfile
from portal.profiles import ApiProfile as ApiProfile
from portal.profiles import Application as Application
from portal.profiles import ChannelProfile as ChannelProfile
from portal.profiles import MandateProfile as MandateProfile
from portal.profiles import Profile as Profile
from portal.profiles import UserProfile as UserProfile
from portal.profiles import profile_of as profile_of
from portal.secrecy import TenantCipher


class Mandataire(models.Model):
    """An enterprise in one quality: the tenant. Every tenant row belongs to exactly one.

    An enterprise with two qualities is two of them, each with its own managers, people, channel and walls, because
    access management counts local managers "for one organisation and quality".

    `data_key` is the key of this tenant's personal numbers and files, itself sealed under the master key.
    """

    class Quality(models.TextChoices):
        """In which capacity it acts towards social security; a channel belongs to one quality."""

        SOCIAL_SECRETARIAT = "social_secretariat", _("Social secretariat")
        SERVICE_PROVIDER = "service_provider", _("Service provider")
        EMPLOYER = "employer", _("ONSS employer")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    number = models.CharField(max_length=10)
    quality = models.CharField(max_length=20, choices=Quality)
    data_key = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["number", "quality"], name="one_tenant_per_quality"),)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def found(cls, *, name: str, number: str, quality: str) -> Mandataire:
        """Creates a mandataire with a data key of its own. The caller opens its scope for everything after."""
        identity = uuid.uuid4()
        with tenancy.scope(identity):
            return cls.objects.create(
                id=identity, name=name, number=number, quality=quality, data_key=keys.new_tenant_key(identity)
            )

    @cached_property
    def cipher(self) -> TenantCipher:
        """Seals and opens this tenant's personal numbers and files; opened once per process."""
        return keys.tenant_cipher(self.id, bytes(self.data_key))


def cipher() -> TenantCipher:
    """The cipher of the current tenant."""
    return keys.cached_cipher(tenancy.current()) or Mandataire.objects.get(id=tenancy.current()).cipher


class TenantModel(models.Model):
    """A row that belongs to the mandataire in whose scope it was made."""

    mandataire = models.ForeignKey(
        Mandataire, on_delete=models.PROTECT, default=tenancy.current, related_name="+", db_index=False
    )

    class Meta:
        abstract = True


class TenantKey(models.ForeignKey[Any, Any]):
    """A reference to another row of the same tenant.

    The constraint in the database is the composite one that `walls.RaiseWall` makes; Django's plain one is left out,
    because PostgreSQL would check it across tenants. Its plain index is left out as well: every index leads with the
    tenant, so models name the ones they need.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        kwargs["db_index"] = False
        super().__init__(*args, **kwargs)


class UserManager(BaseUserManager["User"]):
    """Finds users by a name that is compared without regard to case."""

    def get_by_natural_key(self, username: str | None) -> User:
        """The user with this name, whatever its capitals."""
        return self.get(username__iexact=username)


class User(AbstractUser):
    """A person who may sign in. What he may do is in his Membership, per mandataire.

    The user name is provisional until he chooses his own; then it never changes, because the journal names him by it.
    A trigger refuses the change, whoever asks.
    """

    language = models.CharField(max_length=2, choices=settings.LANGUAGES, default="fr")
    # Part of what every session is signed with: one more, and all his sessions and links end.
    session_round = models.PositiveIntegerField(default=0)
    has_chosen_name = models.BooleanField(default=True)

    objects: ClassVar[UserManager] = UserManager()

    class Meta(AbstractUser.Meta):
        constraints = (models.UniqueConstraint(Upper("username"), name="one_user_per_name"),)

    @property
    def initials(self) -> str:
        """Two letters for the corner of the page."""
        return (self.first_name[:1] + self.last_name[:1] or self.username[:2]).upper()

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must carry to be his: changes with the password and with each round."""
        signed = f"{self.password}|{self.session_round}"
        return salted_hmac("portal.User.session", signed, secret=secret, algorithm="sha256").hexdigest()

    def end_sessions(self) -> None:
        """Ends every session of this user, and the links to choose a password that were handed out."""
        type(self).objects.filter(pk=self.pk).update(session_round=F("session_round") + 1)
        self.refresh_from_db(fields=["session_round"])


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Questions about members."""

    def holding(self) -> MembershipQuerySet:
        """Fetches with each member what he holds today, in the same query."""
        held = Grant.objects.filter(member=OuterRef("pk"), mandataire=OuterRef("mandataire")).running()
        limits = GrantEmployer.objects.filter(grant=OuterRef("pk"), mandataire=OuterRef("mandataire"))
        columns = JSONObject(
            application="application",
            profile="profile",
            ends_on="ends_on",
            employers=ArraySubquery(limits.values("employer_id")),
        )
        return self.annotate(held_rows=ArraySubquery(held.values_list(columns)))

    def managers(self) -> MembershipQuerySet:
        """Those who decide who may enter."""
        return self.filter(is_manager=True, is_blocked=False)


class Membership(TenantModel):
    """One user's place at one mandataire. A manager holds every application at its highest profile.

    A mandataire with members never has no manager: a trigger refuses the transaction that would leave none. With an
    `employer` he is an employer user: he works at this client, and nothing of any other exists for him.
    """

    class Notices(models.TextChoices):
        """What is mailed to him. Who never chose is told of what is urgent when he is a manager, else of nothing."""

        NONE = "none", _("Nothing")
        RED = "red", _("At once, what is urgent")
        DAILY = "daily", _("Once a day, what waits")
        BOTH = "both", _("At once what is urgent, and once a day what waits")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    # By its name: the house imports no room. The key in the database is made by the migration, as everywhere.
    employer = TenantKey("mandates.Employer", on_delete=models.PROTECT, null=True, related_name="members")
    is_manager = models.BooleanField(default=False)
    is_blocked = models.BooleanField(default=False)
    notices = models.CharField(max_length=8, choices=Notices, blank=True, default="", db_default="")
    niss_sealed = models.BinaryField(null=True)
    niss_index = models.BinaryField(max_length=32, null=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["mandataire", "user"], name="one_membership_per_user"),
            models.UniqueConstraint(fields=["mandataire", "niss_index"], name="one_member_per_niss"),
            models.CheckConstraint(
                condition=Q(is_manager=False) | Q(employer=None), name="no_employer_user_manages"
            ),
        )
        indexes = (models.Index(fields=["mandataire", "employer"], name="member_by_employer"),)

    @property
    def niss(self) -> str:
        """The full number, 11 digits, or nothing for who never gave it."""
        return cipher().open_text("member niss", bytes(self.niss_sealed)) if self.niss_sealed else ""

    @niss.setter
    def niss(self, number: str) -> None:
        self.niss_sealed = cipher().seal_text("member niss", number)
        self.niss_index = self.index_of(number)

    @staticmethod
    def index_of(niss: str) -> bytes:
        """What finds a member by his number."""
        return cipher().blind_index("member niss", niss)

    @cached_property
    def _grants(self) -> list[Mapping[str, Any]]:
        """What is held today, as of when the row was read."""
        fetched: Iterable[Mapping[str, Any]] | None = getattr(self, "held_rows", None)
        if fetched is None:
            limits = ArraySubquery(GrantEmployer.objects.filter(grant=OuterRef("pk")).values("employer_id"))
            running = self.grants.running().annotate(employers=limits)
            fetched = running.values("application", "profile", "ends_on", "employers")
        return list(fetched)

    @cached_property
    def held(self) -> dict[Application, tuple[AnyProfile, date | None]]:
        """The profile held today per application, with the last day of the grant; as of when the row was read."""
        return {
            Application(row["application"]): (
                profile_of(row["application"], row["profile"]),
                date.fromisoformat(row["ends_on"]) if isinstance(row["ends_on"], str) else row["ends_on"],
            )
            for row in self._grants
        }

    def reach(self, application: Application) -> frozenset[int] | None:
        """The ids of the employers to which he is limited in an application, or None when all clients are open.

        Says nothing of whether he may enter it at all: that is `may`.
        """
        if self.is_manager:
            return None
        listed = [frozenset(row["employers"]) for row in self._grants if row["application"] == application]
        own = None if self.employer_id is None else frozenset([self.employer_id])
        if not listed or not listed[0]:
            return own
        return listed[0] if own is None else listed[0] & own

    def may(self, profile: AnyProfile) -> bool:
        """Whether this member may do what asks for `profile`."""
        if self.is_manager:
            return True
        held = self.held.get(profile.application)
        return held is not None and held[0].includes(profile)


class GrantQuerySet(models.QuerySet["Grant"]):
    """Questions about grants."""

    def running(self) -> GrantQuerySet:
        """Grants that hold today."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gte=timezone.localdate()))


class Grant(TenantModel):
    """One application that a member may use, with exactly one profile, until a day or without end."""

    member = TenantKey(Membership, on_delete=models.CASCADE, related_name="grants")
    application = models.CharField(max_length=20, choices=Application)
    profile = models.CharField(max_length=20)
    ends_on = models.DateField(null=True, blank=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "member", "application"], name="one_profile_per_application"
            ),
            models.CheckConstraint(
                condition=Q(application="declarations", profile__in=["encode", "administrative", "extended"])
                | Q(application="channels", profile__in=["see", "operate", "manage"])
                | Q(application__in=["mandates", "users", "api"], profile__in=["see", "manage"]),
                name="grant_profile_is_of_its_application",
            ),
        )


class GrantEmployer(TenantModel):
    """One employer to which a grant is limited. A grant without any holds for all clients."""

    grant = TenantKey(Grant, on_delete=models.CASCADE, related_name="limits")
    employer = TenantKey("mandates.Employer", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "grant", "employer"], name="one_limit_per_employer"
            ),
        )
        indexes = (models.Index(fields=["mandataire", "employer"], name="limit_by_employer"),)


class Event(TenantModel):
    """One act, by a person or by the portal itself, written in the transaction of the act. Rows are only ever added.

    `position`, `previous` and `digest` chain the events of a mandataire; a deferred trigger sets them at commit, so
    that writers wait for each other only then.
    """

    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=200, blank=True)
    verb = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=40)
    reason = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    position = models.BigIntegerField(null=True)
    previous = models.BinaryField(null=True)
    digest = models.BinaryField(null=True)

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(fields=["mandataire", "subject_type", "subject_id", "id"], name="event_by_subject"),
            models.Index(fields=["mandataire", "id"], name="event_in_order"),
            models.Index(fields=["mandataire", "subject_type", "id"], name="event_by_kind"),
            models.Index(fields=["mandataire", "actor_id", "id"], name="event_by_actor"),
        )


class EventChain(TenantModel):
    """The length and last digest of a mandataire's chain of events: shows when the tail was cut off."""

    length = models.BigIntegerField(default=0)
    head = models.BinaryField(default=b"")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["mandataire"], name="one_chain_per_mandataire"),)


class PublishedAnnex(models.Model):
    """One dated version of an annex of social security, as the installation loaded it. Rows are only ever added.

    It belongs to no mandataire. `version` is the quarter, YYYYQ, in the name of the file, from which it holds. A file
    of the same version with another content (`sha256`) is one more row, and the later one counts.
    """

    number = models.PositiveSmallIntegerField()
    version = models.CharField(max_length=5)
    name = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64)
    texts_count = models.PositiveIntegerField()
    loaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["number", "sha256"], name="one_annex_per_content"),)

    def __str__(self) -> str:
        return self.name


class AnnexText(models.Model):
    """What one version of an annex says of one code, from the quarter `begins` to the quarter `ends` (YYYYQ)."""

    annex = models.ForeignKey(PublishedAnnex, on_delete=models.PROTECT, related_name="texts", db_index=False)
    code = models.CharField(max_length=20)
    begins = models.CharField(max_length=5)
    ends = models.CharField(max_length=5)
    fr = models.TextField()
    nl = models.TextField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["annex", "code", "begins"], name="one_text_per_code_and_quarter"),
        )
