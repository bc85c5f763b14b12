"""URLs of the console's pages about sources."""

from django.urls import URLPattern, URLResolver, include, path

from sources.views import adding, connecting, connection, detail, generic, importing, listing, uploading

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
    path("connection/", connection.connection_page, name="source_connection"),
    path("read/", connection.read_now, name="source_read"),
    path("read-again/", connection.read_again, name="source_read_again"),
    path("hook/open/", connection.open_hook, name="source_hook_open"),
    path("hook/close/", detail.close_hook, name="source_hook_close"),
    path("rest/", generic.rest_change, name="source_rest"),
    path("signed/", generic.signed_webhook, name="source_signed"),
    path("signed/open/", generic.signed_open, name="source_signed_open"),
    path("requests/", generic.source_requests, name="source_requests"),
]
pages: list[URLPattern | URLResolver] = [
    path("", listing.source_list, name="source_list"),
    path("add/", adding.add_source, name="source_add"),
    path("add/webhook/", adding.add_webhook, name="source_webhook"),
    path("add/file/", uploading.upload_files, name="source_upload"),
    path("add/text/", uploading.paste_text, name="source_paste"),
    path("add/text/preview/", uploading.preview_paste, name="source_paste_preview"),
    path("add/rest/", generic.rest_add, name="source_rest_add"),
    path("add/json/preview/", generic.generic_preview, name="source_generic_preview"),
    path("add/request/", adding.request_source, name="source_request"),
    path("connect/sign-in/", connecting.sign_in, name="source_sign_in"),
    path("connect/<slug:kind>/", connecting.connect_source, name="source_connect"),
    path("<uuid:pk>/", include(source_pages)),
    path("<uuid:pk>/imports/<uuid:import_pk>/", include(import_pages)),
]
urlpatterns = [
    path("sources/signed-in/", connecting.signed_in, name="source_signed_in"),
    path("p/<slug:slug>/sources/", include(pages)),
]
