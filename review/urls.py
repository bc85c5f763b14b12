"""URLs of the review half."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("review.management_api.urls")),
    path("", include("review.agentsight.urls")),
    path("", include("review.console_urls")),
    path("", include("review.golden_urls")),
    path("", include("review.workflowai.urls")),
    path("", include("review.widget_urls")),
    path("", include("review.record_urls")),
]
