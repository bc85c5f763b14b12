
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('feedback', '0003_daily_token_budget'),
        ('feedback_ingest', '0004_item_dead_letter'),
    ]

    operations = [
        migrations.CreateModel(
            name='Action',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255)),
                ('display_name', models.CharField(max_length=255)),
                ('description', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='ActionLog',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('duration_ms', models.PositiveBigIntegerField(null=True)),
                ('tools_used', models.JSONField(null=True)),
                ('response', models.TextField(null=True)),
                ('error_message', models.TextField(null=True)),
                ('metadata', models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name='Attachment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('filename', models.CharField(max_length=255)),
                ('mime_type', models.CharField(max_length=127)),
                ('size_bytes', models.PositiveBigIntegerField()),
                ('path', models.CharField(help_text='Below the media folder.', max_length=100, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='Button',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.CharField(max_length=255)),
                ('label', models.CharField(max_length=255)),
                ('value', models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name='Span',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('span_id', models.CharField(max_length=16)),
                ('trace_id', models.CharField(max_length=32)),
                ('parent_span_id', models.CharField(max_length=16, null=True)),
                ('kind', models.CharField(max_length=64)),
                ('name', models.CharField(max_length=255)),
                ('status', models.CharField(max_length=16)),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('payload', models.JSONField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='TokenUsage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('turn_id', models.CharField(help_text='Empty for usage that no turn is named for.', max_length=64)),
                ('model', models.CharField(help_text='Empty where the client did not name it.', max_length=255)),
                ('calls', models.PositiveIntegerField(default=0)),
                ('unreported_calls', models.PositiveIntegerField(default=0, help_text='Calls of which no tokens were reported.')),
                ('prompt_tokens', models.BigIntegerField(default=0)),
                ('completion_tokens', models.BigIntegerField(default=0)),
                ('cache_read_tokens', models.BigIntegerField(default=0)),
                ('cache_write_tokens', models.BigIntegerField(default=0)),
                ('embedding_tokens', models.BigIntegerField(default=0)),
                ('reasoning_tokens', models.BigIntegerField(default=0, help_text='A part of the completion tokens.')),
                ('incomplete_reason', models.CharField(blank=True, help_text='Why the turn was not finished.', max_length=64)),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.AlterField(
            model_name='conversation',
            name='device',
            field=models.CharField(max_length=255, null=True),
        ),
        migrations.AlterField(
            model_name='conversation',
            name='language',
            field=models.CharField(max_length=255, null=True),
        ),
        migrations.AlterField(
            model_name='conversation',
            name='origin',
            field=models.CharField(help_text='What clients send as `source`.', max_length=255, null=True),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(fields=['project', 'agent', '-started_at', '-id'], name='conversation_of_agent'),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=django.contrib.postgres.indexes.GinIndex(fields=['metadata'], name='conversation_metadata'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('action_name__isnull', False)), fields=['project', 'action_name', 'conversation'], name='message_of_action'),
        ),
        migrations.AddField(
            model_name='action',
            name='agent',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='actions', to='feedback.trackedagent'),
        ),
        migrations.AddField(
            model_name='action',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='feedback.project'),
        ),
        migrations.AddField(
            model_name='actionlog',
            name='action',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='logs', to='feedback_ingest.action'),
        ),
        migrations.AddField(
            model_name='actionlog',
            name='message',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='action_logs', to='feedback_ingest.message'),
        ),
        migrations.AddField(
            model_name='actionlog',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='feedback.project'),
        ),
        migrations.AddField(
            model_name='attachment',
            name='message',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attachments', to='feedback_ingest.message'),
        ),
        migrations.AddField(
            model_name='attachment',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='feedback.project'),
        ),
        migrations.AddField(
            model_name='button',
            name='message',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='button', to='feedback_ingest.message'),
        ),
        migrations.AddField(
            model_name='button',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='feedback.project'),
        ),
        migrations.AddField(
            model_name='span',
            name='conversation',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='spans', to='feedback_ingest.conversation'),
        ),
        migrations.AddField(
            model_name='span',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='feedback.project'),
        ),
        migrations.AddField(
            model_name='tokenusage',
            name='conversation',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='token_usage', to='feedback_ingest.conversation'),
        ),
        migrations.AddField(
            model_name='tokenusage',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='feedback.project'),
        ),
        migrations.AddConstraint(
            model_name='action',
            constraint=models.UniqueConstraint(fields=('project', 'agent', 'name'), name='action_once'),
        ),
        migrations.AddConstraint(
            model_name='span',
            constraint=models.UniqueConstraint(fields=('conversation', 'span_id'), name='span_once'),
        ),
        migrations.AddIndex(
            model_name='tokenusage',
            index=models.Index(fields=['project', '-started_at', '-id'], name='token_usage_newest'),
        ),
        migrations.AddConstraint(
            model_name='tokenusage',
            constraint=models.UniqueConstraint(fields=('conversation', 'turn_id', 'model'), name='token_usage_once'),
        ),
    ]
