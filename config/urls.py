"""Every URL of the product, app by app."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from config.metrics import metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("metrics", metrics, name="metrics"),
    path("", include("projects.urls")),
    path("account/", include("allauth.urls")),
    path("", include("feedback_ingest.urls")),
    path("", include("feedback_ingest.console_urls")),
    path("", include("sources.urls")),
    path("", include("review.urls")),
    path("api/v1/", include("sources.api_urls")),
    path("", include("insights.urls")),
    path("api/v1/", include("feedback_ingest.api_urls")),
    path("api/v1/", include("insights.api_urls")),
    path("api/v1/", include("review.golden_api_urls")),
    path("api/v1/", include("review.api_urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
]
