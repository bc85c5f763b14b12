"""Pages of people and projects: signing in, joining, the person's own settings, and a project's."""

from projects.views.entrance import accept_invitation, robots, sign_in_link
from projects.views.homes import create_project, home, profile, project_home

__all__ = ["accept_invitation", "create_project", "home", "profile", "project_home", "robots", "sign_in_link"]
