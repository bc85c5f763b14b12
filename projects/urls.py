"""URLs of people and projects."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from projects import console, jwt, views
from projects.styleguide import styleguide
from projects.views import addresses, audit_trail, general, keys, mail, members, residency

settings_pages = [
    path("", general.general, name="settings_general"),
    path("change/", general.change_general, name="settings_change"),
    path("remove-sample/", general.remove_sample, name="sample_remove"),
    path("members/", members.members, name="settings_members"),
    path("members/invite/", members.invite_member, name="member_invite"),
    path("members/<int:pk>/role/", members.change_role, name="member_role"),
    path("members/<int:pk>/remove/", members.remove_member, name="member_remove"),
    path("members/invitations/<int:pk>/withdraw/", members.withdraw_invitation, name="invitation_withdraw"),
    path("keys/", keys.keys, name="settings_keys"),
    path("keys/create/", keys.create_key, name="key_create"),
    path("keys/<int:pk>/revoke/", keys.revoke_key, name="key_revoke"),
    path("data/", residency.residency, name="settings_residency"),
    path("mail/", mail.mail, name="settings_mail"),
    path("mail/test/", mail.send_test_mail, name="mail_test"),
    path("audit/", audit_trail.audit_trail, name="settings_audit"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("robots.txt", views.robots, name="robots"),
    path("preferences", console.set_preferences, name="console_preferences"),
    path("account/profile/", views.profile, name="profile"),
    # Stands before allauth's own page of that name.
    path("account/email/", addresses.addresses, name="account_email"),
    path("sign-in/<str:token>", views.sign_in_link, name="sign_in_link"),
    path("join/<str:token>", views.accept_invitation, name="accept_invitation"),
    path("projects/new/", views.create_project, name="create_project"),
    path("api/token/", jwt.Obtain.as_view(), name="token"),
    path("api/token/refresh/", jwt.Refresh.as_view(), name="token_refresh"),
    path("p/<slug:slug>/", views.project_home, name="project_home"),
    path("p/<slug:slug>/settings/", include(settings_pages)),
]
if settings.DEBUG:
    urlpatterns.append(path("styleguide/", styleguide, name="styleguide"))
