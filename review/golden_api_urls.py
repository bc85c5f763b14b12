"""URLs of golden examples, runs of the checks and knowledge under `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from review import golden_api, knowledge_api

router = SimpleRouter()
router.register("golden-examples", golden_api.GoldenViewSet, basename="api-golden")
router.register("golden-check-runs", golden_api.CheckRunViewSet, basename="api-check-run")
router.register("knowledge", knowledge_api.KnowledgeViewSet, basename="api-knowledge")

urlpatterns = router.urls
