"""URLs of people and projects."""

from django.urls import path

from projects import console, views

urlpatterns = [
    path("", views.home, name="home"),
    path("preferences", console.set_preferences, name="console_preferences"),
    path("sign-in/<str:token>", views.sign_in_link, name="sign_in_link"),
    path("p/<slug:slug>/", views.project_home, name="project_home"),
]
