from django.db import migrations

from portal.walls import ANYTHING, NOTHING, KeepWithin, of_employer, through


def about(kind, table):
    return f"WHEN '{kind}' THEN {through(table, 'subject_id::bigint', 'portal_event')} "


# Events about what the limited scope may read, and those that its own transaction has just added: they have no place in
# the chain before the commit, and an INSERT that returns its row has to read it.
EVENTS = (
    "(position IS NULL OR CASE subject_type "
    + about("employer", "mandates_employer")
    + about("worker", "mandates_worker")
    + about("mandate", "mandates_mandate")
    + about("trainingrecord", "submissions_trainingrecord")
    + about("declaration", "submissions_declaration")
    + about("careerdocument", "submissions_careerdocument")
    + "ELSE false END)"
)


class Migration(migrations.Migration):
    """The wall inside the house: a scope limited to some employers finds their trainings and what became of them."""

    dependencies = [
        ("submissions", "0002_relayed"),
        ("portal", "0008_reach"),
        ("mandates", "0004_within"),
        ("channels", "0002_within"),
    ]

    operations = [
        KeepWithin("TrainingRecord", of_employer("employer_id")),
        KeepWithin("Declaration", of_employer("employer_id")),
        KeepWithin("Anomaly", through("submissions_declaration", "declaration_id", "submissions_anomaly")),
        KeepWithin("CareerDocument", of_employer("employer_id")),
        KeepWithin("RelayedForm", of_employer("employer_id")),
        KeepWithin("RelayedFile", NOTHING),
        KeepWithin("Batch", NOTHING),
        # A correction is about the record of what it corrects, so it stays with that record's employer.
        migrations.RunSQL(
            "ALTER TABLE submissions_declaration ADD CONSTRAINT declaration_and_record "
            "UNIQUE (mandataire_id, record_id, id);"
            "ALTER TABLE submissions_declaration ADD CONSTRAINT correction_of_that_record "
            "FOREIGN KEY (mandataire_id, record_id, replaces_id) "
            "REFERENCES submissions_declaration (mandataire_id, record_id, id) DEFERRABLE INITIALLY DEFERRED",
            "ALTER TABLE submissions_declaration DROP CONSTRAINT correction_of_that_record;"
            "ALTER TABLE submissions_declaration DROP CONSTRAINT declaration_and_record",
        ),
        KeepWithin("portal.Event", EVENTS, NOTHING, ANYTHING),
    ]
