"""The console's addresses of the review section."""

from django.urls import URLPattern, URLResolver, include, path

from review.views import auto_approval, bulk, deciding, guidelines, queue, statistics, suggesting

item_pages = [
    path("", queue.review_queue, name="review_item"),
    path("resolve/", deciding.review_resolve, name="review_resolve"),
    path("dismiss/", deciding.review_dismiss, name="review_dismiss"),
    path("reopen/", deciding.review_reopen, name="review_reopen"),
    path("assign/", deciding.review_assign, name="review_assign"),
    path("skip/", deciding.review_skip, name="review_skip"),
    path("draft/", deciding.review_draft, name="review_draft"),
    path("hold/", deciding.review_hold, name="review_hold"),
    path("preview/", deciding.review_preview, name="review_preview"),
    path("suggest/", suggesting.review_suggest, name="review_suggest"),
    path("suggest/stream/", suggesting.review_suggest_stream, name="review_suggest_stream"),
]
pages: list[URLPattern | URLResolver] = [
    path("", queue.review_queue, name="review_queue"),
    path("filters/", queue.review_filters, name="review_filters"),
    path("table/", bulk.review_table, name="review_table"),
    path("table/decide/", bulk.review_decide_chosen, name="review_decide_chosen"),
    path("statistics/", statistics.review_statistics, name="review_statistics"),
    path("guidelines/", guidelines.review_guidelines, name="review_guidelines"),
    path("guidelines/change/", guidelines.review_guidelines_change, name="review_guidelines_change"),
    path("settings/", guidelines.review_settings, name="review_settings"),
    path("approval/suspend/", auto_approval.approval_suspend, name="approval_suspend"),
    path("approval/resume/", auto_approval.approval_resume, name="approval_resume"),
    path("approval/sample/", auto_approval.approval_sample, name="approval_sample"),
    path("approval/<int:pk>/resume/", auto_approval.approval_stream_resume, name="approval_stream_resume"),
    path("approval/<int:pk>/revert/", auto_approval.approval_stream_revert, name="approval_stream_revert"),
    path("<uuid:uuid>/", include(item_pages)),
]
urlpatterns = [path("p/<slug:slug>/review/", include(pages))]
