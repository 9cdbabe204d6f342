from django.db import migrations, models

from portal.walls import application_role

# A plain function, not SECURITY DEFINER: it looks at the row that changes and at nothing else.
KEEP = """
CREATE FUNCTION portal_keep_user_name() RETURNS trigger LANGUAGE plpgsql AS $keep$
BEGIN
    RAISE EXCEPTION 'a user name that was chosen stays'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'user_name_stays';
END $keep$;
CREATE TRIGGER keep_user_name BEFORE UPDATE ON portal_user FOR EACH ROW
WHEN (OLD.has_chosen_name AND (NEW.username <> OLD.username OR NOT NEW.has_chosen_name))
EXECUTE FUNCTION portal_keep_user_name()
"""


def close_what_is_not_used(apps, schema_editor):
    # E-mail addresses are kept with the user. allauth's own tables for them stay empty: the application may only
    # delete there, because deleting a user looks into every table that names users.
    for table in ("account_emailaddress", "account_emailconfirmation"):
        schema_editor.execute(f"REVOKE INSERT, UPDATE ON {table} FROM {application_role()}")


def open_again(apps, schema_editor):
    for table in ("account_emailaddress", "account_emailconfirmation"):
        schema_editor.execute(f"GRANT INSERT, UPDATE ON {table} TO {application_role()}")


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0008_reach"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("usersessions", "0001_initial"),
    ]

    operations = [
        # Those who are users already were given the name they know.
        migrations.AddField(
            model_name="user", name="has_chosen_name", field=models.BooleanField(default=True)
        ),
        migrations.RunSQL(KEEP, "DROP FUNCTION portal_keep_user_name() CASCADE"),
        migrations.RunPython(close_what_is_not_used, open_again),
    ]
