"""How this installation sends mail, and whether it does."""

import smtplib

from django.conf import settings
from django.core.mail import send_mail
from django.http import HttpResponse
from django.views.decorators.http import require_GET, require_POST

from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from projects.settings_tabs import render_settings


@require_GET
@project_page(Permission.MANAGE_MEMBERS)
def mail(request: ProjectRequest) -> HttpResponse:
    """Show the mail settings of the environment."""
    return _page(request)


@require_POST
@project_page(Permission.MANAGE_MEMBERS)
def send_test_mail(request: ProjectRequest) -> HttpResponse:
    """Send the person a mail now, and say what the mail server answered."""
    if not settings.EMAIL_HOST:
        return _page(request, failure="No mail server is set: EMAIL_HOST is empty.")
    try:
        send_mail(
            "[Earshot] Mail works",
            f"This is the test mail that you asked for.\n\n{settings.SITE_URL}\n",
            None,
            [request.user.email],
        )
    except (OSError, smtplib.SMTPException) as error:
        return _page(request, failure=reason(error))
    return _page(request, is_sent=True)


def reason(error: Exception) -> str:
    """Say in words why no mail went out; what the server wrote itself is cut short."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return "The mail server refused the user name or password."
        case smtplib.SMTPRecipientsRefused():
            return "The mail server refused your address."
        case smtplib.SMTPSenderRefused():
            return "The mail server refused the sender, EMAIL_FROM."
        case smtplib.SMTPResponseException():
            return f"The mail server answered {error.smtp_code}."
        case smtplib.SMTPException():
            return f"The mail server does not do what is asked of it: {type(error).__name__}."
        case TimeoutError():
            return f"The mail server did not answer within {settings.EMAIL_TIMEOUT} seconds."
        case OSError():
            return f"The mail server cannot be reached: {error.strerror or type(error).__name__}."
    return type(error).__name__


def _page(request: ProjectRequest, *, failure: str = "", is_sent: bool = False) -> HttpResponse:
    context = {
        "page_title": "Mail",
        "host": settings.EMAIL_HOST,
        "port": settings.EMAIL_PORT,
        "account": settings.EMAIL_HOST_USER,
        "has_password": bool(settings.EMAIL_HOST_PASSWORD),
        "uses_tls": settings.EMAIL_USE_TLS,
        "sender": settings.DEFAULT_FROM_EMAIL,
        "failure": failure,
        "is_sent": is_sent,
    }
    return render_settings(request, "projects/settings/mail.html", context)
