"""`/api/v1/golden-examples/` and `golden-check-runs/`: right answers, which of them a prompt gets, and their tests."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import DomainError
from projects.api import ProjectViewSet
from projects.models import User
from projects.roles import Permission
from review.exchange import importing
from review.exchange.reading import ANSWER_CHARACTERS, QUESTION_CHARACTERS
from review.exchange.writing import SYSTEM_CHARACTERS, Format, export_examples
from review.golden_filters import GoldenFilter
from review.models import GoldenCheckResult, GoldenCheckRun, GoldenExample, GoldenVersion, KnowledgeDocument
from review.services import conflicts, golden, retrieval
from review.services.duplicates import duplicates_of

MOST_CONFLICTS = 100


class GoldenSerializer(serializers.ModelSerializer[GoldenExample]):
    """A golden example."""

    feedback = serializers.UUIDField(source="feedback.uuid", default=None, read_only=True, allow_null=True)

    class Meta:
        model = GoldenExample
        fields = (
            "id", "original_query", "golden_response", "original_response", "source_type", "approval_type", "split",
            "is_active", "attention", "version", "checks", "expires_at", "owner", "feedback", "provenance",
            "created_by", "created_at", "updated_at",
        )  # fmt: skip


class DuplicateSerializer(GoldenSerializer):
    """An example that asks the same as another."""

    similarity = serializers.FloatField(read_only=True)
    agrees = serializers.BooleanField(read_only=True, allow_null=True)

    class Meta(GoldenSerializer.Meta):
        fields = (*GoldenSerializer.Meta.fields, "similarity", "agrees")  # type: ignore[assignment]


class DuplicatesSerializer(serializers.Serializer[Any]):
    """The examples that ask the same as another."""

    results = DuplicateSerializer(many=True)


class ConflictsSerializer(serializers.Serializer[Any]):
    """Groups of examples that answer the same question differently."""

    results = serializers.ListField(child=GoldenSerializer(many=True))


class RetrievedSerializer(serializers.Serializer[Any]):
    """Examples for a prompt, and how many tokens they have."""

    results = GoldenSerializer(many=True)
    tokens = serializers.IntegerField()


class GoldenDraft(serializers.Serializer[Any]):
    """An example written by hand; `split` brings the near-duplicates that there are along."""

    original_query = serializers.CharField(max_length=QUESTION_CHARACTERS)
    golden_response = serializers.CharField(max_length=ANSWER_CHARACTERS, trim_whitespace=False)
    original_response = serializers.CharField(
        max_length=ANSWER_CHARACTERS, required=False, allow_blank=True, trim_whitespace=False
    )
    checks = serializers.ListField(child=serializers.JSONField(), required=False)
    split = serializers.ChoiceField(GoldenExample.Split.choices, required=False)


class GoldenChanges(serializers.Serializer[Any]):
    """What is to change of an example; `version` refuses the change where it is no longer the last."""

    original_query = serializers.CharField(max_length=QUESTION_CHARACTERS, required=False)
    golden_response = serializers.CharField(max_length=ANSWER_CHARACTERS, required=False, trim_whitespace=False)
    is_active = serializers.BooleanField(required=False)
    checks = serializers.ListField(child=serializers.JSONField(), required=False)
    version = serializers.IntegerField(min_value=1, required=False)
    owner = serializers.IntegerField(min_value=1, max_value=2**62, required=False, allow_null=True)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class VersionSerializer(serializers.ModelSerializer[GoldenVersion]):
    """An example as it read at one version."""

    class Meta:
        model = GoldenVersion
        fields = ("number", "original_query", "golden_response", "checks", "is_active", "editor", "created_at")


class QuestionSerializer(serializers.Serializer[Any]):
    """A question, and how much a prompt has room for."""

    q = serializers.CharField(max_length=QUESTION_CHARACTERS)
    k = serializers.IntegerField(min_value=1, max_value=50, default=retrieval.MOST)
    floor = serializers.FloatField(min_value=-1, max_value=1, default=retrieval.FLOOR)
    budget = serializers.IntegerField(min_value=0, max_value=1_000_000, default=retrieval.TOKENS)


class SplitSerializer(serializers.Serializer[Any]):
    """A side of the split."""

    split = serializers.ChoiceField(GoldenExample.Split.choices)


class SettlementSerializer(serializers.Serializer[Any]):
    """How a conflict ends: this example stays alone, or all of them stand beside each other."""

    keep = serializers.ChoiceField(["one", "all"])


class DocumentsSerializer(serializers.Serializer[Any]):
    """The documents that an answer rests on."""

    documents = serializers.ListField(child=serializers.UUIDField(), max_length=conflicts.MOST_CITED)


class ExportSerializer(serializers.Serializer[Any]):
    """What is to be exported; `accept_leak` lets questions of the tests leave for training."""

    form = serializers.ChoiceField([form.value for form in Format], default=Format.CHAT.value)
    split = serializers.ChoiceField(GoldenExample.Split.choices, default=GoldenExample.Split.FEW_SHOT)
    system = serializers.CharField(max_length=SYSTEM_CHARACTERS, required=False, allow_blank=True, default="")
    accept_leak = serializers.BooleanField(default=False)


class ImportSerializer(serializers.Serializer[Any]):
    """A .jsonl or .csv file; without `confirm` it is only looked at."""

    file = serializers.FileField()
    split = serializers.ChoiceField(GoldenExample.Split.choices, required=False, default="")
    confirm = serializers.BooleanField(default=False)


class CheckRunSerializer(serializers.ModelSerializer[GoldenCheckRun]):
    """A run of the checks."""

    class Meta:
        model = GoldenCheckRun
        fields = (
            "id", "target", "model", "split", "questions", "passed", "failed", "errors", "started_by", "created_at",
            "finished_at",
        )  # fmt: skip


class CheckResultSerializer(serializers.ModelSerializer[GoldenCheckResult]):
    """What was answered to one question."""

    class Meta:
        model = GoldenCheckResult
        fields = ("id", "example", "version", "outcome", "answer", "findings", "milliseconds", "created_at")


class GoldenViewSet(ProjectViewSet):
    """Golden examples, the newest first."""

    serializer_class = GoldenSerializer
    filterset = GoldenFilter
    page_order = ("created_at", "id")
    page_kinds = (datetime, UUID)
    needs: ClassVar[dict[str, Permission]] = dict.fromkeys(
        ("create", "partial_update", "destroy", "move", "settle", "cites", "still_right", "export", "import_file"),
        Permission.MANAGE,
    )

    def get_queryset(self) -> QuerySet[GoldenExample]:
        """Return the examples of the project."""
        if getattr(self, "swagger_fake_view", False):
            return GoldenExample.objects.none()
        examples = GoldenExample.objects.visible_to(self.request.user).filter(project=self.project)
        return examples.select_related("feedback").defer("vector", "answer_vector", "search", "feedback__search")

    @extend_schema(filters=True)
    def list(self, request: Request) -> Response:
        """List examples."""
        return self.list_page(self.get_queryset(), request)

    @extend_schema(request=GoldenDraft, responses={201: GoldenSerializer})
    def create(self, request: Request) -> Response:
        """Write an example by hand; it goes where its near-duplicates are, unless `split` is given."""
        given = GoldenDraft(data=request.data)
        given.is_valid(raise_exception=True)
        example = golden.create_example(self.project, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(example).data, status=status.HTTP_201_CREATED)

    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one example."""
        return self._show(pk)

    @extend_schema(request=GoldenChanges)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change an example; what changes its words, checks or use is a version."""
        given = GoldenChanges(data=request.data)
        given.is_valid(raise_exception=True)
        changes = dict(given.validated_data)
        example = self._example(pk)
        owner, expires_at = example.owner, changes.pop("expires_at", example.expires_at)
        if "owner" in changes:
            owner = self._member(changes.pop("owner"))
        if (owner, expires_at) != (example.owner, example.expires_at):
            golden.tend_example(example, actor=self.actor, owner=owner, expires_at=expires_at)
        golden.update_example(example, actor=self.actor, **changes)
        return self._show(pk)

    def destroy(self, request: Request, pk: str) -> Response:
        """Remove an example and its history for good."""
        golden.delete_example(self._example(pk), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        parameters=[
            OpenApiParameter("q", OpenApiTypes.STR, required=True, description="The question."),
            OpenApiParameter("k", OpenApiTypes.INT, description="How many at most."),
            OpenApiParameter("floor", OpenApiTypes.FLOAT, description="The least similarity, a cosine."),
            OpenApiParameter("budget", OpenApiTypes.INT, description="How many tokens all of them may have."),
        ],
        responses=RetrievedSerializer,
    )
    @action(detail=False, url_path="retrieve")
    def lookup(self, request: Request) -> Response:
        """Return the examples that a prompt about a question is to hold, never one that tests ask."""
        asked = QuestionSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        found = retrieval.examples_for(
            self.project, wanted["q"], k=wanted["k"], floor=wanted["floor"], token_budget=wanted["budget"]
        )
        return Response(
            {"results": self.get_serializer(found, many=True).data, "tokens": sum(map(retrieval.tokens_of, found))}
        )

    @extend_schema(responses=VersionSerializer(many=True))
    @action(detail=True)
    def versions(self, request: Request, pk: str) -> Response:
        """List how an example read, the last version first."""
        versions = self._example(pk).versions.order_by("-number")
        return Response({"results": VersionSerializer(versions, many=True).data})

    @extend_schema(responses=DuplicatesSerializer)
    @action(detail=True)
    def duplicates(self, request: Request, pk: str) -> Response:
        """List the examples that ask the same, the nearest first, and whether they answer the same."""
        found = duplicates_of(self._example(pk))
        return Response(
            {
                "results": [
                    {"similarity": round(each.similarity, 4), "agrees": each.agrees, **self._data(each.example)}
                    for each in found
                ]
            }
        )

    @extend_schema(request=SplitSerializer)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        """Put an example on a side of the split, with all its near-duplicates; `moved` says how many."""
        given = SplitSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        moved = golden.move_to_split(self._example(pk), given.validated_data["split"], actor=self.actor)
        return Response({"moved": moved, **self._data(self._example(pk))})

    @extend_schema(responses=ConflictsSerializer)
    @action(detail=False)
    def conflicts(self, request: Request) -> Response:
        """List the groups of examples that ask the same and answer differently."""
        groups = conflicts.conflicts_of(self.project, limit=MOST_CONFLICTS)
        return Response({"results": [[self._data(example) for example in group.examples] for group in groups]})

    @extend_schema(request=SettlementSerializer)
    @action(detail=True, methods=["post"])
    def settle(self, request: Request, pk: str) -> Response:
        """Settle a conflict: keep this one and switch the others off, or let all of them stand."""
        given = SettlementSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        example = self._example(pk)
        if given.validated_data["keep"] == "one":
            conflicts.keep_one(example, actor=self.actor)
        else:
            conflicts.keep_all(conflicts.group_of(example).examples, actor=self.actor)
        return self._show(pk)

    @extend_schema(request=DocumentsSerializer)
    @action(detail=True, methods=["put"])
    def cites(self, request: Request, pk: str) -> Response:
        """Say on which documents an answer rests, as they read now."""
        given = DocumentsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        documents = KnowledgeDocument.objects.filter(project=self.project, pk__in=given.validated_data["documents"])
        conflicts.cite(self._example(pk), documents, actor=self.actor)
        return self._show(pk)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="still-right", url_name="still-right")
    def still_right(self, request: Request, pk: str) -> Response:
        """Say that an answer holds although a document it rests on has changed."""
        conflicts.find_still_right(self._example(pk), actor=self.actor)
        return self._show(pk)

    @extend_schema(parameters=[ExportSerializer], responses={200: OpenApiResponse(OpenApiTypes.BINARY)})
    @action(detail=False)
    def export(self, request: Request) -> HttpResponseBase:
        """Stream the examples of one side of the split."""
        asked = ExportSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        form = Format(wanted["form"])
        lines = export_examples(
            self.project, form, wanted["split"], actor=self.actor, system=wanted["system"],
            accept_leak=wanted["accept_leak"],
        )  # fmt: skip
        answer = StreamingHttpResponse(lines, content_type=form.content_type)
        answer["Content-Disposition"] = f'attachment; filename="{form.filename}"'
        return answer

    @extend_schema(request={"multipart/form-data": ImportSerializer})
    @action(detail=False, methods=["post"], url_path="import", url_name="import-file", parser_classes=[MultiPartParser])
    def import_file(self, request: Request) -> Response:
        """Read a file of examples and say what each row would become; with `confirm`, make it so.

        A large file takes several requests: send it again as long as `left` is not 0.
        """
        given = ImportSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        file = given.validated_data["file"]
        staged = importing.stage_import(
            self.project, file, file.name, actor=self.actor, split=given.validated_data["split"]
        )
        seen = importing.preview(staged)
        done = importing.Imported(0, left=len(seen.new))
        if given.validated_data["confirm"]:
            done = importing.run_import(staged, actor=self.actor)
        if done.left:
            staged.delete()
        return Response(
            {
                "new": len(seen.new),
                "known": len(seen.known),
                "refused": [{"row": row.number, "problem": row.problem} for row in seen.refused],
                "imported": done.made,
                "left": done.left,
            }
        )

    def _example(self, pk: str) -> GoldenExample:
        try:
            example: GoldenExample | None = self.get_queryset().filter(pk=UUID(pk)).first()
        except ValueError:
            example = None
        if example is None:
            raise golden.not_found()
        example.project = self.project
        return example

    def _member(self, pk: int | None) -> User | None:
        if pk is None:
            return None
        member = User.objects.filter(pk=pk, memberships__project=self.project).first()
        if member is None:
            raise DomainError("The owner must be a member of the project.", code="bad_owner")
        return member

    def _show(self, pk: str) -> Response:
        return Response(self._data(self._example(pk)))

    def _data(self, example: GoldenExample) -> dict[str, Any]:
        return dict(self.get_serializer(example).data)


class CheckRunViewSet(ProjectViewSet):
    """Runs of the checks, the newest first."""

    serializer_class = CheckRunSerializer
    page_order = ("created_at", "id")
    page_kinds = (datetime, UUID)

    def get_queryset(self) -> QuerySet[GoldenCheckRun]:
        """Return the runs of the project."""
        if getattr(self, "swagger_fake_view", False):
            return GoldenCheckRun.objects.none()
        return GoldenCheckRun.objects.visible_to(self.request.user).filter(project=self.project)

    def list(self, request: Request) -> Response:
        """List runs."""
        return self.list_page(self.get_queryset(), request)

    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one run with all its results."""
        try:
            run = self.get_queryset().filter(pk=UUID(pk)).first()
        except ValueError:
            run = None
        if run is None:
            raise DomainError("Not found.", code="not_found", status=404)
        results = CheckResultSerializer(run.results.order_by("created_at", "pk"), many=True).data
        return Response({**self.get_serializer(run).data, "results": results})
