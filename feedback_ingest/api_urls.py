"""URLs of feedback under `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from feedback_ingest import api

router = SimpleRouter()
router.register("items", api.ItemViewSet, basename="api-item")

urlpatterns = router.urls
