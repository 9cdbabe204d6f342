from django.db import migrations, models


class Migration(migrations.Migration):
    """A migration of its own: a table whose rows were just changed takes no new constraint in the same transaction."""

    dependencies = [
        ("submissions", "0005_environment"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="declaration",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "withdrawn"), _negated=True),
                fields=("mandataire", "promotes"),
                name="one_promotion_per_declaration",
            ),
        ),
        migrations.AddConstraint(
            model_name="declaration",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("promotes", None),
                    models.Q(("environment", "R"), ("kind", "original")),
                    _connector="OR",
                ),
                name="promoted_to_production",
            ),
        ),
        migrations.AddConstraint(
            model_name="declaration",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("batch", None), models.Q(("environment", ""), _negated=True), _connector="OR"
                ),
                name="in_a_set_of_an_environment",
            ),
        ),
        migrations.AddIndex(
            model_name="declaration",
            index=models.Index(
                condition=models.Q(
                    ("environment__in", ("T", "S")), ("state__in", ("accepted", "accepted_with_remarks"))
                ),
                fields=["mandataire", "id"],
                name="declaration_tested",
            ),
        ),
        # As with a correction: what goes to production is about the record that was tested, and of its employer.
        migrations.RunSQL(
            "ALTER TABLE submissions_declaration ADD CONSTRAINT promotion_of_that_record "
            "FOREIGN KEY (mandataire_id, record_id, promotes_id) "
            "REFERENCES submissions_declaration (mandataire_id, record_id, id) DEFERRABLE INITIALLY DEFERRED",
            "ALTER TABLE submissions_declaration DROP CONSTRAINT promotion_of_that_record",
        ),
    ]
