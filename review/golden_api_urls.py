"""URLs of golden examples and knowledge under `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from review import golden_api

router = SimpleRouter()
router.register("golden-examples", golden_api.GoldenViewSet, basename="api-golden")

urlpatterns = router.urls
