"""The console's addresses of feedback."""

from django.urls import URLPattern, URLResolver, include, path

from feedback_ingest.views import acting, item, listing

item_pages = [
    path("", item.item_page, name="feedback_item"),
    path("change/", acting.change_item, name="feedback_change"),
    path("speaker/", acting.set_speaker, name="feedback_speaker"),
]
pages: list[URLPattern | URLResolver] = [
    path("", listing.item_list, name="feedback_list"),
    path("chosen/", acting.change_chosen, name="feedback_change_chosen"),
    path("undo/", acting.undo, name="feedback_undo"),
    path("<int:pk>/", include(item_pages)),
]
urlpatterns = [path("p/<slug:slug>/feedback/", include(pages))]
