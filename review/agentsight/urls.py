"""URLs of the tracking surface; each is answered with and without its final slash."""

from django.urls import URLPattern, re_path

from review.agentsight import assistants, conversations, feedbacks, ingest, tracking

_CONVERSATION = r"^api/conversations/(?P<pk>[0-9]+)"

urlpatterns: list[URLPattern] = [
    re_path(r"^api/conversations/?$", conversations.Conversations.as_view(), name="agentsight-conversations"),
    re_path(r"^api/conversations/lookup/?$", conversations.Lookup.as_view(), name="agentsight-lookup"),
    re_path(
        r"^api/conversations/metadata-keys/?$", conversations.MetadataKeys.as_view(), name="agentsight-metadata-keys"
    ),
    re_path(
        r"^api/conversations/metadata-values/?$",
        conversations.MetadataValues.as_view(),
        name="agentsight-metadata-values",
    ),
    re_path(
        r"^api/conversations/message-metadata-keys/?$",
        conversations.MetadataKeys.as_view(query=conversations.MESSAGE_KEYS),
        name="agentsight-message-metadata-keys",
    ),
    re_path(rf"{_CONVERSATION}/?$", conversations.OneConversation.as_view(), name="agentsight-conversation"),
    re_path(rf"{_CONVERSATION}/rename/?$", conversations.Rename.as_view(), name="agentsight-rename"),
    re_path(rf"{_CONVERSATION}/mark/?$", conversations.Mark.as_view(), name="agentsight-mark"),
    re_path(rf"{_CONVERSATION}/update/?$", conversations.Update.as_view(), name="agentsight-update"),
    re_path(rf"{_CONVERSATION}/delete/?$", conversations.Delete.as_view(), name="agentsight-delete"),
    re_path(
        rf"{_CONVERSATION}/attachments/?$",
        conversations.Attachments.as_view(),
        name="agentsight-conversation-attachments",
    ),
    re_path(r"^api/track/?$", tracking.Messages.as_view(), name="agentsight-track"),
    re_path(r"^api/track/(?P<pk>[0-9]+)/?$", tracking.OneMessage.as_view(), name="agentsight-message"),
    re_path(r"^api/action_logs/?$", tracking.Actions.as_view(), name="agentsight-action-logs"),
    re_path(r"^api/buttons/?$", tracking.Buttons.as_view(), name="agentsight-buttons"),
    re_path(r"^api/attachments/?$", tracking.Attachments.as_view(), name="agentsight-attachments"),
    re_path(
        r"^api/attachments/(?P<pk>[0-9]+)/file/?$", tracking.AttachmentFile.as_view(), name="agentsight-attachment-file"
    ),
    re_path(
        r"^api/conversation-feedbacks/?$",
        feedbacks.ConversationFeedbacks.as_view(),
        name="agentsight-conversation-feedbacks",
    ),
    re_path(r"^api/feedbacks/?$", feedbacks.Feedbacks.as_view(), name="agentsight-feedbacks"),
    re_path(r"^api/feedbacks/(?P<pk>[0-9]+)/?$", feedbacks.OneFeedback.as_view(), name="agentsight-feedback"),
    re_path(r"^api/ingest/?$", ingest.Ingest.as_view(), name="agentsight-ingest"),
    re_path(r"^api/me/?$", ingest.Me.as_view(), name="agentsight-me"),
    re_path(r"^api/actions/?$", assistants.Actions.as_view(), name="agentsight-actions"),
    re_path(r"^api/actions/(?P<pk>[0-9]+)/?$", assistants.OneAction.as_view(), name="agentsight-action"),
    re_path(r"^api/actions/(?P<pk>[0-9]+)/logs/?$", assistants.ActionLogs.as_view(), name="agentsight-logs"),
    re_path(r"^api/token-usage/?$", assistants.TokenUsages.as_view(), name="agentsight-usage"),
    re_path(r"^api/token-usage/summary/?$", assistants.UsageSummary.as_view(), name="agentsight-usage-summary"),
    re_path(r"^api/tickets/?$", assistants.Tickets.as_view(), name="agentsight-tickets"),
    re_path(r"^api/tickets/(?P<pk>[0-9]+)/?$", assistants.OneTicket.as_view(), name="agentsight-ticket"),
]
