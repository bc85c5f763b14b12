"""From waiting items to stored mentions."""

from insights.pipeline.run import analyse_project

__all__ = ["analyse_project"]
