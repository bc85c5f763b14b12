"""`/api/v1/people/`: who said it, and by which keys they are recognised."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import DomainError
from feedback_ingest.models import Account, Alias, Person
from projects.api import ProjectViewSet


class AccountSerializer(serializers.ModelSerializer[Account]):
    """The company that a person belongs to."""

    class Meta:
        model = Account
        fields = ("id", "name")


class AliasSerializer(serializers.ModelSerializer[Alias]):
    """One key by which a person is recognised, and the rule that it stands for."""

    class Meta:
        model = Alias
        fields = ("rule", "key")


class PersonSerializer(serializers.ModelSerializer[Person]):
    """A customer; who may not see people gets the id alone."""

    amplitude_id = serializers.IntegerField(read_only=True, allow_null=True)
    account = AccountSerializer(read_only=True, allow_null=True)
    aliases = AliasSerializer(many=True, read_only=True)

    class Meta:
        model = Person
        fields = ("id", "amplitude_id", "name", "email", "user_id", "account", "properties", "aliases", "created_at")

    def to_representation(self, instance: Person) -> dict[str, Any]:
        """Mask what tells who somebody is."""
        data = super().to_representation(instance)
        if not self.context.get("sees_people"):
            data |= {"name": f"Person {instance.pk}", "amplitude_id": None, "email": None, "user_id": None}
            data |= {"account": None, "properties": {}, "aliases": []}
        return data


class PersonFilter(django_filters.FilterSet):  # type: ignore[misc]
    """By what people are looked up; each is one of their keys, in full."""

    user_id = django_filters.CharFilter(method="by_alias", max_length=512)
    email = django_filters.CharFilter(method="by_alias", max_length=254)
    account = django_filters.NumberFilter(field_name="account_id", max_value=2**62)

    class Meta:
        model = Person
        fields: list[str] = []

    def by_alias(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep whom the key stands for."""
        key = value.lower() if name == Alias.Rule.EMAIL else value
        return rows.filter(aliases__rule=name, aliases__key=key)


class PersonViewSet(ProjectViewSet):
    """People, the newest first."""

    serializer_class = PersonSerializer
    filterset = PersonFilter
    page_order = ("id",)
    page_kinds = (int,)

    def get_queryset(self) -> QuerySet[Person]:
        """Return the people of the project."""
        if getattr(self, "swagger_fake_view", False):
            return Person.objects.none()
        people = Person.objects.visible_to(self.request.user).filter(project=self.project)
        return people.select_related("account").prefetch_related("aliases")

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Apply the filters. Raises DomainError for who would find out by them whom they may not see."""
        if not self.sees_people and set(self.request.query_params) & set(PersonFilter.base_filters):
            raise DomainError(
                "Insufficient permissions. Required: feedback.view_personal_data", code="permission_denied", status=403
            )
        return super().narrow(rows)

    def list(self, request: Request) -> Response:
        """List people; `items/?person=` lists what one of them said."""
        return self.list_page(self.get_queryset(), request)

    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one person."""
        number = int(pk) if pk.isdecimal() and len(pk) < 19 else 0
        person = get_object_or_404(self.get_queryset(), pk=number)
        return Response(self.get_serializer(person).data)
