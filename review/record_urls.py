"""The console's addresses of what is on record: verdicts, runs and conversations."""

from django.urls import URLPattern, URLResolver, include, path

from review.views import conversations, runs, verdicts

pages: list[URLPattern | URLResolver] = [
    path("verdicts/", verdicts.verdict_list, name="verdict_list"),
    path("verdicts/<uuid:uuid>/", verdicts.verdict, name="verdict_detail"),
    path("verdicts/<uuid:uuid>/delete/", verdicts.verdict_delete, name="verdict_delete"),
    path("runs/", runs.run_list, name="run_list"),
    path("runs/<uuid:pk>/", runs.run, name="run_detail"),
    path("conversations/", conversations.conversation_list, name="conversation_list"),
    path("conversations/<int:pk>/", conversations.conversation, name="conversation_detail"),
]
urlpatterns = [path("p/<slug:slug>/review/", include(pages))]
