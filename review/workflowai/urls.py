"""URLs of agents, runs and the feedback on them; each is answered with and without its final slash."""

from django.urls import URLPattern, re_path

from review.workflowai import feedback

urlpatterns: list[URLPattern] = [
    re_path(r"^v1/feedback/?$", feedback.TokenFeedback.as_view(), name="token-feedback"),
]
