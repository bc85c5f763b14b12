"""URLs of people and projects."""

from django.urls import path

from projects import console

urlpatterns = [
    path("preferences", console.set_preferences, name="set_preferences"),
]
