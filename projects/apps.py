"""The projects app."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"
    label = "feedback"
    verbose_name = "Projects"

    def ready(self) -> None:
        """Name the tabs of the settings, and say how this app's audit verbs read."""
        from projects import audit, openapi, schedules, settings_tabs  # noqa: F401  # the API's description finds openapi loaded
        from projects.roles import Permission
        from projects.schedules import Job
        from projects.settings_tabs import SettingsTab

        settings_tabs.register(
            SettingsTab("General", "settings_general", place=10),
            SettingsTab("Members", "settings_members", place=20),
            SettingsTab("Keys", "settings_keys", place=30),
            SettingsTab("Where data goes", "settings_residency", place=85),
            SettingsTab("Mail", "settings_mail", Permission.MANAGE_MEMBERS, place=80),
            SettingsTab("Audit", "settings_audit", Permission.MANAGE_MEMBERS, place=90),
        )
        audit.register_verbs(
            {
                "project.created": "created the project",
                "project.changed": "changed the project's settings",
                "project.removed": "removed the sample project",
                "member.invited": "invited somebody",
                "member.invitation_withdrawn": "took an invitation back",
                "member.joined": "joined the project",
                "member.role_changed": "changed the role of",
                "member.removed": "removed from the project",
                "key.created": "made a key",
                "key.revoked": "revoked a key",
            }
        )
        schedules.register(Job("Traces of signing in", "projects.tasks.forget_old_traces", cron="25 3 * * *"))
