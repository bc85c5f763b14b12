"""The console's addresses of golden examples, knowledge and runs of checks."""

from django.urls import URLPattern, URLResolver, include, path

from review.views import checks, golden, golden_conflicts, golden_detail, golden_exchange, knowledge

example_pages = [
    path("", golden_detail.golden_detail, name="golden_detail"),
    path("change/", golden_detail.golden_change, name="golden_change"),
    path("switch/", golden_detail.golden_switch, name="golden_switch"),
    path("tend/", golden_detail.golden_tend, name="golden_tend"),
    path("move/", golden_detail.golden_move, name="golden_move"),
    path("cite/", golden_detail.golden_cite, name="golden_cite"),
    path("settle/", golden_conflicts.golden_settle, name="golden_settle"),
    path("delete/", golden_detail.golden_delete, name="golden_delete"),
]
import_pages = [
    path("", golden_exchange.golden_import_review, name="golden_import_review"),
    path("run/", golden_exchange.golden_import_run, name="golden_import_run"),
    path("discard/", golden_exchange.golden_import_discard, name="golden_import_discard"),
]
knowledge_pages = [
    path("", knowledge.knowledge_list, name="knowledge_list"),
    path("new/", knowledge.knowledge_new, name="knowledge_new"),
    path("upload/", knowledge.knowledge_upload, name="knowledge_upload"),
    path("<uuid:pk>/", knowledge.knowledge_document, name="knowledge_document"),
    path("<uuid:pk>/edit/", knowledge.knowledge_edit, name="knowledge_edit"),
    path("<uuid:pk>/delete/", knowledge.knowledge_delete, name="knowledge_delete"),
]
pages: list[URLPattern | URLResolver] = [
    path("", golden.golden_list, name="golden_list"),
    path("new/", golden.golden_new, name="golden_new"),
    path("conflicts/", golden_conflicts.golden_conflicts, name="golden_conflicts"),
    path("export/", golden_exchange.golden_export, name="golden_export"),
    path("import/", golden_exchange.golden_import, name="golden_import"),
    path("import/<uuid:staged_pk>/", include(import_pages)),
    path("checks/", checks.checks_list, name="checks_list"),
    path("checks/<uuid:pk>/", checks.checks_run, name="checks_run"),
    path("knowledge/", include(knowledge_pages)),
    path("<uuid:pk>/", include(example_pages)),
]
urlpatterns = [path("p/<slug:slug>/golden/", include(pages))]
