"""URLs of the console's pages about sources."""

from django.urls import URLPattern, URLResolver, include, path

from sources.views import adding, detail, importing, listing, uploading

import_pages = [
    path("", importing.import_page, name="source_import"),
    path("begin/", importing.begin_import, name="source_import_begin"),
    path("progress/", importing.import_progress, name="source_import_progress"),
    path("discard/", importing.discard_import, name="source_import_discard"),
    path("retry/", importing.retry_import, name="source_import_retry"),
    path("refused.csv", importing.refused_rows, name="source_import_refused"),
]
source_pages = [
    path("", detail.source_page, name="source"),
    path("status/", detail.source_status, name="source_status"),
    path("change/", detail.change_source, name="source_change"),
    path("pause/", detail.pause_source, name="source_pause"),
    path("resume/", detail.resume_source, name="source_resume"),
    path("delete/", detail.delete_source, name="source_delete"),
    path("restore/", detail.restore_source, name="source_restore"),
]
pages: list[URLPattern | URLResolver] = [
    path("", listing.source_list, name="source_list"),
    path("add/", adding.add_source, name="source_add"),
    path("add/webhook/", adding.add_webhook, name="source_webhook"),
    path("add/file/", uploading.upload_files, name="source_upload"),
    path("add/text/", uploading.paste_text, name="source_paste"),
    path("add/text/preview/", uploading.preview_paste, name="source_paste_preview"),
    path("add/request/", adding.request_source, name="source_request"),
    path("<uuid:pk>/", include(source_pages)),
    path("<uuid:pk>/imports/<uuid:import_pk>/", include(import_pages)),
]
urlpatterns = [
    path("p/<slug:slug>/sources/", include(pages)),
]
