import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import ANYTHING, NOTHING, KeepWithin, RaiseWall, of_employer


class Migration(migrations.Migration):
    """Grants limited to some clients, users who work at a client, and the wall inside the house that holds both."""

    dependencies = [
        ("mandates", "0001_initial"),
        ("portal", "0007_identity"),
    ]

    operations = [
        migrations.CreateModel(
            name="GrantEmployer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "mandataire",
                    models.ForeignKey(
                        db_index=False,
                        default=portal.tenancy.current,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="portal.mandataire",
                    ),
                ),
                (
                    "grant",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="limits",
                        to="portal.grant",
                    ),
                ),
                (
                    "employer",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="mandates.employer",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("mandataire", "grant", "employer"), name="one_limit_per_employer"
                    )
                ],
                "indexes": [models.Index(fields=["mandataire", "employer"], name="limit_by_employer")],
            },
        ),
        migrations.AddField(
            model_name="membership",
            name="employer",
            field=portal.models.TenantKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="members",
                to="mandates.employer",
            ),
        ),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(fields=["mandataire", "employer"], name="member_by_employer"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_manager", False), ("employer", None), _connector="OR"),
                name="no_employer_user_manages",
            ),
        ),
        # The wall of this table stood before it had the column, so its key is made here.
        migrations.RunSQL(
            "ALTER TABLE portal_membership ADD CONSTRAINT portal_membership_employer_id_tenant "
            "FOREIGN KEY (mandataire_id, employer_id) REFERENCES mandates_employer (mandataire_id, id) "
            "DEFERRABLE INITIALLY DEFERRED",
            migrations.RunSQL.noop,
        ),
        RaiseWall("GrantEmployer"),
        # What a limited scope may do with the tables of the house. Events have their wall in `submissions`, because it
        # asks the tables of every room.
        KeepWithin("Mandataire", ANYTHING, NOTHING),
        KeepWithin("Membership", f"(employer_id IS NULL OR {of_employer('employer_id')})", NOTHING),
        KeepWithin("Grant", NOTHING),
        KeepWithin("GrantEmployer", NOTHING),
        KeepWithin("EventChain", NOTHING),
        # Who works at a client links accounts of his own.
        KeepWithin("IdentityProvider", ANYTHING, NOTHING),
        KeepWithin(
            "IdentityLink",
            "EXISTS (SELECT FROM portal_membership seen WHERE seen.mandataire_id = portal_identitylink.mandataire_id "
            f"AND seen.id = portal_identitylink.member_id AND {of_employer('seen.employer_id')})",
        ),
    ]
