"""URLs of sources under `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from sources import api

router = SimpleRouter()
router.register("sources", api.SourceViewSet, basename="api-source")

urlpatterns = router.urls
