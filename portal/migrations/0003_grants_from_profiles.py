"""Every member keeps what he could do: the one profile becomes a grant per application.

Row-level security holds the migrating role as well, so each mandataire is done in its own scope, and the counts prove
that none was passed over.
"""

from django.db import migrations

from portal.walls import tenants

ENCODE = {"declarations": "encode", "channels": "see", "mandates": "see"}
GRANTS = {
    "encode": ENCODE,
    "administrative": {**ENCODE, "declarations": "administrative"},
    "extended": {
        "declarations": "extended",
        "channels": "operate",
        "mandates": "manage",
        "users": "manage",
    },
}


def give_grants(apps, schema_editor):
    for tenant in tenants(schema_editor):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.mandataire', %s, true)", [tenant])
            cursor.execute("SELECT id, profile FROM portal_membership ORDER BY id")
            members = cursor.fetchall()
            wanted = [
                (tenant, member, application, profile)
                for member, old in members
                for application, profile in GRANTS[old].items()
            ]
            cursor.executemany(
                "INSERT INTO portal_grant (mandataire_id, member_id, application, profile) VALUES (%s, %s, %s, %s)",
                wanted,
            )
            cursor.execute("SELECT count(*), count(DISTINCT member_id) FROM portal_grant")
            expect(cursor.fetchone() == (len(wanted), len(members)), tenant)
            if members:
                # The first of those who could do most, or the first of all: somebody must decide who may enter.
                able = [member for member, old in members if old == "extended"]
                chosen = (able or [member for member, _old in members])[0]
                cursor.execute(
                    "UPDATE portal_membership SET is_manager = true WHERE id = %s AND NOT EXISTS "
                    "(SELECT FROM portal_membership WHERE is_manager)",
                    [chosen],
                )
                cursor.execute("SELECT count(*) FROM portal_membership WHERE is_manager")
                expect(cursor.fetchone()[0] >= 1, tenant)
            cursor.execute("SELECT set_config('app.mandataire', '', true)")


def expect(is_so, tenant):
    if not is_so:
        raise RuntimeError(f"The grants of {tenant} do not add up; nothing was changed.")


def restore_profiles(apps, schema_editor):
    for tenant in tenants(schema_editor):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.mandataire', %s, true)", [tenant])
            cursor.execute(
                "UPDATE portal_membership m SET profile = g.profile FROM portal_grant g "
                "WHERE g.member_id = m.id AND g.application = 'declarations'"
            )
            cursor.execute("DELETE FROM portal_grant")
            cursor.execute("UPDATE portal_membership SET is_manager = false")
            cursor.execute("SELECT set_config('app.mandataire', '', true)")


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0002_grants"),
    ]

    operations = [
        migrations.RunPython(give_grants, restore_profiles),
    ]
