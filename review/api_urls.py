"""URLs of the review half under `/api/v1/`."""

from django.urls import URLPattern, path

from review import api

urlpatterns: list[URLPattern] = [path("satisfaction/", api.Satisfaction.as_view(), name="api-satisfaction")]
