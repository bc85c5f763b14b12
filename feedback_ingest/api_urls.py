"""URLs of feedback under `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from feedback_ingest import api, people_api

router = SimpleRouter()
router.register("items", api.ItemViewSet, basename="api-item")
router.register("people", people_api.PersonViewSet, basename="api-person")

urlpatterns = router.urls
