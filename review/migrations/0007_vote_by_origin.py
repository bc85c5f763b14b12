
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('feedback', '0003_daily_token_budget'),
        ('feedback_ingest', '0005_tracking'),
        ('review', '0006_words_due'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='feedback',
            name='feedback_on_message_once',
        ),
        migrations.AddConstraint(
            model_name='feedback',
            constraint=models.UniqueConstraint(condition=models.Q(('channel', 'agentsight'), ('kind', 'message')), fields=('project', 'message', 'origin'), name='feedback_on_message_once'),
        ),
    ]
