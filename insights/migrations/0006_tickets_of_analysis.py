from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("insights", "0005_range_counts"),
    ]

    operations = [
        migrations.AddField(
            model_name="analysiswake",
            name="ticket",
            field=models.BigIntegerField(default=0),
        ),
    ]
