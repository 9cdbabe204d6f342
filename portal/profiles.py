"""What a member may be given: applications, and for each an ordered set of profiles of which he holds at most one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class Application(models.TextChoices):
    """A part of the portal that is granted on its own."""

    DECLARATIONS = "declarations", _("Declarations")
    CHANNELS = "channels", _("Channels")
    MANDATES = "mandates", _("Mandates")
    USERS = "users", _("Users")
    API = "api", _("Payroll API")


class AnyProfile(models.TextChoices):
    """What somebody may do in one application; each profile includes those before it."""

    @property
    def application(self) -> Application:
        """The application this profile belongs to."""
        return next(application for application, kind in PROFILES.items() if isinstance(self, kind))

    def includes(self, other: AnyProfile) -> bool:
        """Whether whoever holds this profile may do what `other`, of the same application, allows."""
        order = list(type(self))
        return order.index(self) >= order.index(other)


class Profile(AnyProfile):
    """Declarations."""

    ENCODE = "encode", _("Encode: create, modify, search")
    ADMINISTRATIVE = "administrative", _("Administrative: also withdraw and correct")
    EXTENDED = "extended", _("Extended: also send, annul and work the task list")


class ChannelProfile(AnyProfile):
    """The channel to social security."""

    SEE = "see", _("See: state of the channel and its files")
    OPERATE = "operate", _("Operate: also send, collect and read again at once")
    MANAGE = "manage", _("Manage: also set up the channel and its keys")


class MandateProfile(AnyProfile):
    """The mandates of the clients."""

    SEE = "see", _("See: consult mandates")
    MANAGE = "manage", _("Manage: also ask for, accept and end mandates")


class UserProfile(AnyProfile):
    """The people of the organisation."""

    SEE = "see", _("See: consult users and what they may do")
    MANAGE = "manage", _("Manage: also create, change, block and delete users, and grant")


class ApiProfile(AnyProfile):
    """The payroll systems that declare over the API."""

    SEE = "see", _("See: consult the payroll systems and what they sent")
    MANAGE = "manage", _("Manage: also let payroll systems in, and end their access")


PROFILES: Final[Mapping[Application, type[AnyProfile]]] = MappingProxyType(
    {
        Application.DECLARATIONS: Profile,
        Application.CHANNELS: ChannelProfile,
        Application.MANDATES: MandateProfile,
        Application.USERS: UserProfile,
        Application.API: ApiProfile,
    }
)


OF_CLIENTS: Final = (Application.DECLARATIONS, Application.MANDATES)
"""Applications that are about clients one by one: only these can be limited to some of them, or given to somebody who
works at one."""


def profile_of(application: str, value: str) -> AnyProfile:
    """The profile of an application by its stored name. Raises ValueError when there is none."""
    return PROFILES[Application(application)](value)


def usual(profile: Profile) -> dict[Application, AnyProfile]:
    """What somebody who works with declarations at this level is usually given: each as far as his work needs it."""
    if profile is Profile.EXTENDED:
        highest = {application: list(kind)[-1] for application, kind in PROFILES.items()}
        # Sending is his daily work; keys and production are not.
        return highest | {Application.CHANNELS: ChannelProfile.OPERATE}
    return {
        Application.DECLARATIONS: profile,
        Application.CHANNELS: ChannelProfile.SEE,
        Application.MANDATES: MandateProfile.SEE,
    }
