"""The e-mail addresses of a person."""

from allauth.account.models import EmailAddress
from allauth.account.views import email
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from projects.console import toast


@login_required
def addresses(request: HttpRequest) -> HttpResponseBase:
    """Show and change the addresses that a person signs in with; only a confirmed one can become their name here.

    By its e-mail a person is joined with a single sign-on, and gives feedback as a customer. An account that has
    no confirmed address at all, as after an invitation, could otherwise take anybody's.
    """
    if "action_primary" in request.POST and not _is_confirmed(request):
        toast(request, "Only an address that you have confirmed can be the primary one.", level=messages.ERROR)
        return redirect("account_email")
    answer: HttpResponseBase = email(request)
    return answer


def _is_confirmed(request: HttpRequest) -> bool:
    confirmed = EmailAddress.objects.filter(user_id=request.user.pk, verified=True)
    return bool(confirmed.filter(email__iexact=request.POST.get("email", "")).exists())
