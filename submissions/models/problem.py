"""The Problem: what people decided about equal answers of one client; and the Settlement of a declaration in it."""

from __future__ import annotations

from django.db import models

from mandates.models import Employer
from portal.models import Membership, TenantKey, TenantModel
from submissions.models.declaration import Declaration


class Problem(TenantModel):
    """One thing to do: a code of social security at one element, for one client and service.

    The row holds only what people decided, and is made with the first decision. Which declarations stand in the
    problem, since when and until when, is asked of the answers themselves (`submissions.problems`): so no answer has to
    keep a list true, in whichever order answers are applied. An empty `code` is a refusal that gave none.

    `owner` works on it. It is out of sight until `snoozed_until`, a day in Belgium.
    """

    employer = TenantKey(Employer, on_delete=models.PROTECT, related_name="problems")
    service = models.CharField(max_length=16)
    code = models.CharField(max_length=20, blank=True)
    tag = models.CharField(max_length=100, blank=True)
    owner = TenantKey(Membership, on_delete=models.SET_NULL, null=True, related_name="problems")
    snoozed_until = models.DateField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "employer", "service", "code", "tag"], name="one_problem_per_cause"
            ),
        )
        indexes = (models.Index(fields=["mandataire", "owner"], name="problem_by_owner"),)


class Settlement(TenantModel):
    """A declaration of which a person decided that nothing more is to be done about its answer, and why.

    One row for each declaration that this person saw: what is answered later is not covered, and stands in the problem
    anew. The person is kept by name: the sentence must stay readable when the user is gone.
    """

    problem = TenantKey(Problem, on_delete=models.CASCADE, related_name="settlements")
    declaration = TenantKey(Declaration, on_delete=models.CASCADE, related_name="settlements")
    settled_at = models.DateTimeField()
    settled_by = models.CharField(max_length=200)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "declaration"], name="one_settlement_per_declaration"
            ),
        )
        indexes = (models.Index(fields=["mandataire", "problem"], name="settlement_by_problem"),)
