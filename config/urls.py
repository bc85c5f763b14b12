"""Every URL of the product, app by app."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("account/", include("allauth.urls")),
    path("", include("projects.urls")),
    path("", include("feedback_ingest.urls")),
]
