"""URLs of people and projects."""

from django.urls import path

from projects import console, jwt, views

urlpatterns = [
    path("", views.home, name="home"),
    path("preferences", console.set_preferences, name="console_preferences"),
    path("sign-in/<str:token>", views.sign_in_link, name="sign_in_link"),
    path("api/token/", jwt.Obtain.as_view(), name="token"),
    path("api/token/refresh/", jwt.Refresh.as_view(), name="token_refresh"),
    path("p/<slug:slug>/", views.project_home, name="project_home"),
]
