"""URLs of the feedback surface; each is answered with and without its final slash."""

from django.urls import URLPattern, re_path

from review.management_api import feedback, golden

_ONE = r"feedback/admin/(?P<feedback_id>[^/]+)"

urlpatterns: list[URLPattern] = [
    re_path(r"^feedback/?$", feedback.Submit.as_view(), name="feedback-submit"),
    re_path(r"^feedback/message/(?P<message_id>[^/]+)/?$", feedback.Own.as_view(), name="feedback-own"),
    re_path(r"^feedback/admin/list/?$", feedback.List.as_view(), name="feedback-list"),
    re_path(r"^feedback/admin/stats/?$", feedback.Statistics.as_view(), name="feedback-stats"),
    re_path(r"^feedback/admin/settings/?$", feedback.Settings.as_view(), name="feedback-settings"),
    re_path(rf"^{_ONE}/?$", feedback.Detail.as_view(), name="feedback-detail"),
    re_path(rf"^{_ONE}/resolve/?$", feedback.Resolve.as_view(), name="feedback-resolve"),
    re_path(rf"^{_ONE}/dismiss/?$", feedback.Dismiss.as_view(), name="feedback-dismiss"),
    re_path(rf"^{_ONE}/restore/?$", feedback.Restore.as_view(), name="feedback-restore"),
    re_path(rf"^{_ONE}/generate-response/?$", feedback.GenerateResponse.as_view(), name="feedback-generate"),
    re_path(r"^feedback/golden-examples/?$", golden.Examples.as_view(), name="golden-examples"),
    re_path(r"^feedback/golden-examples/(?P<example_id>[^/]+)/?$", golden.Example.as_view(), name="golden-example"),
]
