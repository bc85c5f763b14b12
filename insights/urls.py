"""The console's addresses of insights."""

from django.urls import URLPattern, URLResolver, include, path

from insights.views import detail, editing, listing, mentions, samples, search

mention_pages = [
    path("thread/", mentions.mention_thread, name="mention_thread"),
    path("move/", mentions.mention_move, name="mention_move"),
    path("moved/", mentions.move_mention, name="mention_moved"),
    path("delete/", mentions.delete_mention, name="mention_delete"),
    path("confirm/", mentions.confirm_mention, name="mention_confirm"),
]
insight_pages = [
    path("", detail.insight_detail, name="insight_detail"),
    path("change/", editing.change_insight, name="insight_change"),
    path("delete/", editing.delete_insight, name="insight_delete"),
    path("mentions.csv", detail.mention_export, name="mention_export"),
]
pages: list[URLPattern | URLResolver] = [
    path("", listing.insight_list, name="insight_list"),
    path("progress/", listing.insight_progress, name="insight_progress"),
    path("export.csv", listing.insight_export, name="insight_export"),
    path("chosen/", editing.change_chosen, name="insight_change_chosen"),
    path("row/", editing.change_row, name="insight_change_row"),
    path("merge/", editing.merge_preview, name="insight_merge"),
    path("merged/", editing.merge_insights, name="insight_merged"),
    path("different/", editing.mark_different, name="insight_different"),
    path("undo/", editing.undo, name="insight_undo"),
    path("sample/", samples.try_sample, name="insight_try_sample"),
    path("mentions/<int:pk>/", include(mention_pages)),
    path("<uuid:pk>/", include(insight_pages)),
]
urlpatterns = [
    path("p/<slug:slug>/insights/", include(pages)),
    path("p/<slug:slug>/search/", search.search, name="search"),
]
