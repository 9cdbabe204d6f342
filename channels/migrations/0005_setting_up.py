import django.utils.timezone
from django.db import migrations, models

import channels.naming


class Migration(migrations.Migration):
    dependencies = [
        ("channels", "0004_pauses"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="channel",
            name="one_channel_per_sender",
        ),
        migrations.RemoveConstraint(
            model_name="credential",
            name="one_credential_per_kind",
        ),
        migrations.AddField(
            model_name="channel",
            name="chaman_told_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="directories",
            field=models.JSONField(default=channels.naming.usual_directories),
        ),
        migrations.AddField(
            model_name="channel",
            name="is_set_up",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="verified_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="way",
            field=models.CharField(
                choices=[("new", "A new channel"), ("existing", "A channel that exists already")],
                default="existing",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="credential",
            name="usable_from",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AlterField(
            model_name="channel",
            name="host_key",
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name="channel",
            name="sender_number",
            field=models.CharField(blank=True, max_length=6),
        ),
        migrations.AlterField(
            model_name="credential",
            name="kind",
            field=models.CharField(
                choices=[
                    ("ssh", "SSH key"),
                    ("signing", "Signing certificate"),
                    ("request", "Certificate request"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="channel",
            constraint=models.UniqueConstraint(
                condition=models.Q(("sender_number", ""), _negated=True),
                fields=("sender_number",),
                name="one_channel_per_sender",
            ),
        ),
        migrations.AddConstraint(
            model_name="channel",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sender_number", ""), _negated=True), ("is_set_up", False), _connector="OR"
                ),
                name="in_service_with_sender",
            ),
        ),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "channel", "kind", "fingerprint"), name="one_credential_per_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "request")),
                fields=("mandataire", "channel"),
                name="one_certificate_request",
            ),
        ),
    ]
