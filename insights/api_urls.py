"""URLs of insights under `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from insights import api
from insights.search_api import SearchViewSet

router = SimpleRouter()
router.register("insights", api.InsightViewSet, basename="api-insight")
router.register("mentions", api.MentionViewSet, basename="api-mention")
router.register("corrections", api.CorrectionViewSet, basename="api-correction")
router.register("search", SearchViewSet, basename="api-search")

urlpatterns = router.urls
