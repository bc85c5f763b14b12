"""The projects app."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"
    label = "feedback"
    verbose_name = "Projects"
