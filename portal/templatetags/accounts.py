"""The accounts with which somebody may sign in, on the page of his own data."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from portal import tenancy
from portal.identity.models import IdentityLink, IdentityProvider
from portal.models import Membership

register = template.Library()


@register.inclusion_tag("components/accounts.html", takes_context=True)
def accounts(context: Context, me: Membership) -> dict[str, Any]:
    """The linked accounts of `me` and the providers that he may still link one of. Two queries."""
    here = IdentityProvider.objects.filter(mandataire_id=tenancy.current()).order_by("label", "pk")
    known = list(here)
    labels = {provider.issuer: provider.label for provider in reversed(known)}
    working = {provider.issuer for provider in known if provider.is_enabled}
    links = list(
        IdentityLink.objects.filter(mandataire_id=tenancy.current(), member=me).order_by("linked_at", "pk")
    )
    linked = {link.issuer for link in links}
    return {
        "links": [
            {
                "pk": link.pk,
                "name": labels.get(link.issuer, link.issuer),
                "linked_at": link.linked_at,
                "works": link.issuer in working,
            }
            for link in links
        ],
        "providers": [
            provider for provider in known if provider.is_enabled and provider.issuer not in linked
        ],
        "csrf_token": context.get("csrf_token"),
    }
