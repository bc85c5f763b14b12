"""URLs of the page about the feedback buttons."""

from django.urls import URLPattern, path

from review.views import widget

urlpatterns: list[URLPattern] = [
    path("p/<slug:slug>/review/widget/", widget.widget, name="review_widget"),
    path("p/<slug:slug>/review/widget/forget/", widget.widget_forget, name="review_widget_forget"),
]
