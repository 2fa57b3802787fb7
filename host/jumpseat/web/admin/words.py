"""What the forms call the keys of metadata files."""

from __future__ import annotations

from collections.abc import Mapping

from jumpseat.speech import say

LABELS: Mapping[str, str] = {
    # supported objects; the first five as the manual has them
    "label": say("Label"),
    "supported_object": say("Supported object"),
    "name_field": say("Name field"),
    "email_template_description": say("Email template description"),
    "allow_custom_recipient": say("Allow custom recipient"),
    "source": say("Record source"),
    "session_types": say("Session types"),
    "share_channels": say("Share channels"),
    "contacts": say("Contacts"),
    "email_fields": say("E-mail fields"),
    "phone_fields": say("Phone fields"),
    "template_fields": say("Template fields"),
    "chat_message": say("Chat message"),
    "write_back": say("Written back"),
    "enabled": say("Enabled"),
    "extra": say("Kept for the CRM"),
    # session settings
    "allow_remote_control": say("Allow remote control sessions"),
    "allow_pilot": say("Allow Pilot sessions"),
    "valid_for": say("Valid for"),
    "one_valid_session_per_record": say("One valid session per record"),
    "notify_on_join": say("Tell supporters when the customer joins"),
    "notify_by_email": say("Tell them by e-mail too"),
    "close_unjoined_after": say("Close sessions that nobody joined after"),
    # permission sets, record sources
    "name": say("Name"),
    "everyone": say("Every supporter"),
    "supporters": say("Supporters"),
    "crm_permissions": say("Permissions in the CRM"),
    "kind": say("Kind"),
    "frame_ancestors": say("Pages that may show Jumpseat in a frame"),
    "launch_secret": say("Launch secret"),
    "old_launch_secret": say("Launch secret before that"),
    "vocabulary": say("Vocabulary"),
    "plugin": say("Plugin"),
    # the host
    "company": say("Company"),
    "languages": say("Languages"),
    "default_language": say("Default language"),
    "default_source": say("Default record source"),
    "public_url": say("Public address"),
    "phone_country": say("Country of phone numbers"),
    "plugin_order": say("Order of plugins"),
    "required_plugins": say("Required plugins"),
    "blocked_plugins": say("Blocked plugins"),
    "trace_retention": say("Keep the trace log for"),
    "administrators": say("Administrators"),
    "webhook_hosts": say("Hosts that webhooks may call"),
    "caps": say("Caps"),
    "retention": say("Retention"),
    # templates
    "description": say("Description"),
    "object": say("Object"),
    "subject": say("Subject"),
    "language": say("Language"),
    # jobs
    "company_report": say("Company report"),
    "reconciliation": say("Reconciliation"),
    "token_refresh": say("Renewal of sign-ins"),
}
"""By key; of one that is not listed the key itself is shown."""
