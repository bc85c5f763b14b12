"""URLs of agents, runs and the feedback on them; each is answered with and without its final slash."""

from django.urls import URLPattern, re_path

from review.workflowai import agents, completions, dashboard, feedback, runs

_AGENTS = r"^v1/(?P<tenant>[^/]+)/agents"
_ONE = rf"{_AGENTS}/(?P<agent>[^/]+)"
_SCHEMA = rf"{_ONE}/schemas/(?P<number>[0-9]{{1,9}})"
_RUN = rf"{_ONE}/runs/(?P<run_id>[^/]+)"

urlpatterns: list[URLPattern] = [
    re_path(r"^v1/feedback/?$", feedback.TokenFeedback.as_view(), name="token-feedback"),
    re_path(r"^v1/chat/completions/?$", completions.ChatCompletions.as_view(), name="chat-completions"),
    re_path(rf"{_AGENTS}/?$", agents.Agents.as_view(), name="agents"),
    re_path(rf"{_SCHEMA}/run/?$", runs.RunAgent.as_view(), name="agent-run"),
    re_path(rf"{_SCHEMA}/versions/?$", agents.SchemaVersions.as_view(), name="agent-schema-versions"),
    re_path(rf"{_ONE}/versions/?$", agents.Versions.as_view(), name="agent-versions"),
    re_path(rf"{_ONE}/versions/(?P<version>[^/]+)/deploy/?$", agents.Deploy.as_view(), name="agent-deploy"),
    re_path(rf"{_ONE}/runs/?$", runs.Runs.as_view(), name="agent-runs"),
    re_path(rf"{_RUN}/?$", runs.OneRun.as_view(), name="agent-run-detail"),
    re_path(rf"{_RUN}/feedback/?$", dashboard.RunFeedback.as_view(), name="agent-run-feedback"),
    re_path(rf"{_ONE}/feedback/?$", dashboard.AgentFeedback.as_view(), name="agent-feedback"),
    re_path(rf"{_ONE}/feedback/(?P<verdict_id>[^/]+)/annotate/?$", dashboard.Annotate.as_view(), name="agent-annotate"),
]
