"""The JSON Schemas (2020-12) of the metadata files: one per kind, each key described once.

``jumpseat schema write`` publishes them to ``metadata/schema/`` for editors; the tables of ``metadata/README.md`` are tested
against them. Patterns are plain and whole (``^…$``) so that every engine reads them the same way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jumpseat.catalogue.dashboards import DATA, DAYS, INTERVALS, KINDS, MEASURES, WIDEST
from jumpseat.catalogue.model import WRITTEN_BACK
from jumpseat.catalogue.rights import EVERYTHING, RIGHTS
from jumpseat.speech import joined, say

Schema = dict[str, Any]

NAME = "^[a-z][a-z0-9_]*$"
PLUGIN_NAME = "^[a-z][a-z0-9_-]*$"
OBJECT_NAME = "^[A-Za-z][A-Za-z0-9_]*$"
FIELD_NAME = "^[A-Za-z_][A-Za-z0-9_]*(?:[.][A-Za-z_][A-Za-z0-9_]*)*$"
DURATION = "^[1-9][0-9]{0,5}[smhd]$"
LANGUAGE = "^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$"
COUNTRY = "^[A-Z]{2}$"
WEB_ADDRESS = "^https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?$"
ORIGIN = "^https?://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?$"
EMAIL = "^[^@ ]+@[A-Za-z0-9-]+(?:[.][A-Za-z0-9-]+)+$"
HOST_NAME = "^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$"
EXTRA_NAME = "^[A-Za-z][A-Za-z0-9_.@]*$"
ENV_NAME = "^[A-Za-z_][A-Za-z0-9_]*$"
CRON = "^[0-9*/,A-Za-z-]+(?: [0-9*/,A-Za-z#-]+){4}$"
TIMEZONE = "^[A-Za-z]+(?:/[A-Za-z0-9_+-]+){0,2}$"
DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
SAFE_ADDRESS = "^https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:[/?][A-Za-z0-9._~/?&=%+,:@!$()*;-]*)?$"
ONE_LINE = "^[^ \r\n](?:[^\r\n]*[^ \r\n])?$"

FORMS: Mapping[str, tuple[str, str]] = {
    NAME: (say("a name of small letters, digits and '_' that begins with a letter"), say("write it like 'remote_control'")),
    PLUGIN_NAME: (say("a name of small letters, digits, '_' and '-' that begins with a letter"), say("write it like 'teamviewer'")),
    OBJECT_NAME: (
        say("an API name of letters, digits and '_' that begins with a letter"),
        say("write it as the CRM does: 'Case', 'Service_Contract__c'"),
    ),
    FIELD_NAME: (say("the API name of a field"), say("write it as the CRM does: 'CaseNumber', 'Account.Name'")),
    DURATION: (say("a duration"), say("write a whole number and a unit: 90s, 15m, 24h or 7d")),
    LANGUAGE: (say("a language code"), say("write it like 'en', 'fr' or 'pt-BR'")),
    COUNTRY: (say("a country code of two capital letters"), say("write it like 'FR'")),
    WEB_ADDRESS: (say("a web address"), say("write it like 'https://support.example.com', without user, '?' and '#'")),
    ORIGIN: (say("the origin of a web page"), say("write it like 'https://example.lightning.force.com', without a path and without '*'")),
    EMAIL: (say("an e-mail address"), say("write it like 'support@example.com'")),
    HOST_NAME: (say("the name of a host"), say("write it like 'crm.intranet.example.com', without 'https://' and without a port")),
    EXTRA_NAME: (
        say("a name of letters, digits, '_', '.' and '@' that begins with a letter"),
        say("write it as the CRM does: 'Region__c'"),
    ),
    ENV_NAME: (say("the name of an environment variable"), say("write it like 'JUMPSEAT_LAUNCH_SECRET'")),
    CRON: (say("a cron expression of five fields"), say("write minute, hour, day of month, month and day of week, like '30 2 * * 1-5'")),
    TIMEZONE: (say("the name of a time zone"), say("write it like 'Europe/Paris' or 'UTC'")),
    DAY: (say("a day"), say('write it like "2026-03-31", in quotes')),
    SAFE_ADDRESS: (
        say("a web address that begins with https://"),
        say("write it like 'https://reports.example.com/today', without user and '#'"),
    ),
    ONE_LINE: (say("one line of text without spaces at its ends"), say("take out line breaks, and spaces at both ends")),
}
"""What each pattern means, in words, and how to write it."""


def _text(description: str, pattern: str = ONE_LINE, *, longest: int = 255, **more: Any) -> Schema:
    return {"description": description, "type": "string", "minLength": 1, "maxLength": longest, "pattern": pattern, **more}


def _boolean(description: str, default: bool | None = None) -> Schema:
    schema: Schema = {"description": description, "type": "boolean"}
    return schema if default is None else schema | {"default": default}


def _count(description: str, *, least: int = 0, most: int = 1_000_000, **more: Any) -> Schema:
    return {"description": description, "type": "integer", "minimum": least, "maximum": most, **more}


def _choice(description: str, choices: list[str], default: str | None = None) -> Schema:
    schema: Schema = {"description": description, "type": "string", "enum": choices}
    return schema if default is None else schema | {"default": default}


def _list(description: str, item: Schema, *, least: int = 1, most: int = 200, **more: Any) -> Schema:
    return {"description": description, "type": "array", "items": item, "minItems": least, "maxItems": most, "uniqueItems": True, **more}


def _mapping(description: str, properties: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    schema: Schema = {"description": description, "type": "object", "properties": properties, "additionalProperties": False}
    return schema | {"required": list(required)} if required else schema


def _secret(description: str) -> Schema:
    return _mapping(
        joined(description, "As `{env: NAME}` or `{file: PATH}`."),
        {"env": _text("Environment variable that holds it.", ENV_NAME), "file": _text("File that holds it.")},
    ) | {"minProperties": 1, "maxProperties": 1}


def _free_mapping(description: str, value: Schema, key: str, *, longest: int = 80) -> Schema:
    return {
        "description": description,
        "type": "object",
        "propertyNames": {"pattern": key, "maxLength": longest},
        "additionalProperties": value,
        "maxProperties": 200,
    }


def _file(title: str, description: str, properties: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title} | _mapping(description, properties, required)


_FIELD = _text("API name of a field.", FIELD_NAME, longest=120)

_CONTACT_RULE: Schema = {
    "description": "One way to find contacts: self, or a mapping with one key.",
    "type": ["string", "object"],
    "if": {"type": "string"},
    "then": {"enum": ["self"]},
    "else": {
        "properties": {
            "self": {"description": "The record is a person.", "type": "boolean", "enum": [True]},
            "lookup": _text("The field that holds the id of a contact.", FIELD_NAME, longest=120),
            "children": _text("The field of contacts that holds the id of the record.", FIELD_NAME, longest=120),
            "account_primary": _text("The field that holds an account; its primary contact is taken.", FIELD_NAME, longest=120),
            "account_contacts": _text("The field that holds an account; all its contacts are taken.", FIELD_NAME, longest=120),
            "roles": _text("The object of contact roles of the record, primary first.", OBJECT_NAME, longest=80),
            "value": _mapping(
                "The record itself carries a person in fields.",
                {
                    "name": _text("Field that holds the name.", FIELD_NAME, longest=120),
                    "email": _text("Field that holds the e-mail address.", FIELD_NAME, longest=120),
                    "mobile": _text("Field that holds the mobile number.", FIELD_NAME, longest=120),
                    "phone": _text("Field that holds the phone number.", FIELD_NAME, longest=120),
                },
                ("name",),
            ),
        },
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    },
}

_SUPPORTED_OBJECT = _file(
    "Supported object",
    "Records of this kind may have sessions.",
    {
        "label": _text(say("What people call the object."), longest=80),
        "supported_object": _text(say("API or logical name of the object in the CRM."), OBJECT_NAME, longest=80),
        "name_field": _text(say("The field that holds the name of a record."), FIELD_NAME, longest=120),
        "email_template_description": _text(say("Templates with this description apply to the object.")),
        "allow_custom_recipient": _boolean(say("May a supporter type an address that is not one of the record's contacts?")),
        "source": _text(say("Name of the record source; when left out, the only one or `default_source` of host.yaml."), NAME, longest=64),
        "session_types": _list(
            say("The session types offered; when left out, all that the session settings allow."),
            _text("Name of a session type.", NAME, longest=64),
        ),
        "share_channels": _list(
            say("The share channels offered; when left out, all."), _text("Name of a share channel.", NAME, longest=64)
        ),
        "contacts": _list(
            say("Where the people of a record are; when left out, the record source knows it for standard objects."), _CONTACT_RULE, most=10
        ),
        "email_fields": _list(say("Fields of the record that hold an e-mail address, best first."), _FIELD, most=20),
        "phone_fields": _list(say("Fields of the record that hold a phone number, mobile first."), _FIELD, most=20),
        "template_fields": _list(say("Further fields that templates may use as `record.<field>`."), _FIELD, most=50),
        "chat_message": _boolean(
            say("Offer to write a message to the record's feed and to attach pictures to the record, where the record source can."), True
        ),
        "write_back": _free_mapping(
            say("Fields of the record that are written after a session, each with what goes there; needs a record source that can write."),
            _choice("What is written.", list(WRITTEN_BACK)),
            FIELD_NAME,
        ),
        "enabled": _boolean(say("False takes the object out of use without deleting its file."), True),
        "extra": _free_mapping(
            say("What a CRM keeps of this object beside the keys above, by kind of CRM; only import and export read it."),
            _free_mapping("The facts of one CRM, as texts.", {"type": "string", "maxLength": 40_000}, EXTRA_NAME),
            NAME,
        ),
    },
    ("label", "supported_object", "name_field", "email_template_description", "allow_custom_recipient"),
)

_SESSIONS = _file(
    "Session settings",
    "What sessions are allowed, and how long they live.",
    {
        "allow_remote_control": _boolean(say("May remote-control sessions be opened?"), True),
        "allow_pilot": _boolean(say("May Pilot sessions be opened?"), True),
        "allow": _free_mapping(
            say("The same for other session types, by name; those not named are allowed."), _boolean("May it be opened?"), NAME
        ),
        "valid_for": _text(say("How long a new session stays valid."), DURATION, longest=10, default="24h"),
        "one_valid_session_per_record": _boolean(say("False lets a record have several valid sessions at once."), True),
        "notify_on_join": _choice(
            say("When the supporters are told that the customer joined: for every session, for those whose link was sent, or never."),
            ["always", "when_shared", "never"],
            "always",
        ),
        "notify_by_email": _boolean(say("Mail it also to the supporter who opened the session, where the CRM knows their address."), False),
        "close_unjoined_after": _text(
            say("Close a session that nobody joined after this time; when left out, only its end closes it."), DURATION, longest=10
        ),
    },
)

_LEVELS = ["none", "own", "all"]
_LEVEL_WORDS = "none, own (sessions the supporter opened and records they may see) or all"


def _rights_of(resource: str, verbs: tuple[str, ...]) -> Schema:
    return {
        "description": f"Level for all of {resource}, or one for each verb.",
        "type": ["string", "object"],
        "if": {"type": "string"},
        "then": {"enum": _LEVELS},
        "else": {
            "properties": {verb: _choice(f"Level to {verb}: {_LEVEL_WORDS}.", _LEVELS) for verb in verbs},
            "additionalProperties": False,
            "minProperties": 1,
        },
    }


_PERMISSION_SET = _file(
    "Permission set",
    "Named rights, and who has them. Several permission sets add up; the widest level wins.",
    {
        "name": _text(say("Name of the permission set."), NAME, longest=64),
        "label": _text(say("What people call it."), longest=80),
        "rights": _mapping(
            f"A level for each resource: {_LEVEL_WORDS}. What is left out is none.",
            {EVERYTHING: _choice("One level for all resources; what is said of a single one can only widen it.", _LEVELS)}
            | {resource: _rights_of(resource, verbs) for resource, verbs in RIGHTS.items()},
        ),
        "assigned_to": _mapping(
            say("Who has these rights; when left out, nobody."),
            {
                "everyone": _boolean(say("Every supporter."), False),
                "supporters": _list(say("CRM ids of users."), _text("CRM id of a user.", longest=100), most=1000),
                "crm_permissions": _list(
                    say("Whoever holds one of these in the CRM."), _text("Name of a permission set, role or custom permission."), most=200
                ),
            },
        ),
    },
    ("name", "label", "rights"),
)

_SOURCE = _file(
    "Record source",
    "Which CRM, and how to reach it.",
    {
        "name": _text(say("Name of the record source, used by objects and in the API."), NAME, longest=64),
        "kind": _text(say("Kind of CRM, from a plugin."), NAME, longest=64),
        "label": _text(say("What people call it."), longest=80),
        "settings": {"description": "Settings of this kind; secrets as `{env: NAME}` or `{file: PATH}`.", "type": "object"},
        "frame_ancestors": _list(
            say("Origins whose pages may show launches in a frame, all that stand around it; when left out, none may."),
            _text("Origin of a page.", ORIGIN),
            most=50,
        ),
        "launch_secret": _secret(say("What signs launches of this source: Canvas's consumer secret, or one of your own.")),
        "old_launch_secret": _secret(say("The one before, while both hold.")),
        "vocabulary": _free_mapping(
            say("What pages of this source say instead of Jumpseat's words, by language; the record source brings its CRM's own."),
            _free_mapping(
                "The CRM's words, by Jumpseat's word in this language (small first letter), or by a whole text of it in English.",
                _text("What is said instead."),
                ONE_LINE,
                longest=255,
            ),
            LANGUAGE,
        ),
    },
    ("name", "kind", "label"),
)

_PLUGIN = _file(
    "Plugin settings",
    "Settings of one plugin, by its name.",
    {
        "plugin": _text("Name of the plugin.", PLUGIN_NAME, longest=64),
        "settings": {"description": "Its settings; secrets as `{env: NAME}` or `{file: PATH}`.", "type": "object"},
    },
    ("plugin", "settings"),
)


def _plugin_names(description: str) -> Schema:
    return _list(description, _text("Name of a plugin.", PLUGIN_NAME, longest=64), least=0)


_HOST = _file(
    "Host settings",
    "Languages, plugins and limits of the whole host.",
    {
        "company": _text(say("Name of the company, as customers read it."), longest=80),
        "languages": _list(
            say("Languages of pages and messages."), _text("A language.", LANGUAGE, longest=20), most=50, default=["en", "fr"]
        ),
        "default_language": _text(say("The language where nobody says another."), LANGUAGE, longest=20, default="en"),
        "default_source": _text(say("Name of the record source of objects that name none."), NAME, longest=64),
        "public_url": _text(say("Where the host is reached from outside."), WEB_ADDRESS, default="http://127.0.0.1:8400"),
        "phone_country": _text(
            say("Country with which phone numbers without `+` are read; when left out, such numbers are refused."), COUNTRY, longest=2
        ),
        "plugin_order": _plugin_names(say("Plugins that are asked first, in this order; read at the start.")),
        "required_plugins": _plugin_names(say("Plugins without which the host does not start; read at the start.")),
        "blocked_plugins": _plugin_names(say("Plugins that are not loaded; read at the start.")),
        "trace_retention": _text(say("How long rows of the plugin trace log are kept."), DURATION, longest=10, default="24h"),
        "administrators": _list(
            say("E-mail addresses that are told when a job fails, a cap stops shares, a webhook is disabled, or a sign-in is lost."),
            _text("An e-mail address.", EMAIL, longest=254),
            most=50,
        ),
        "webhook_hosts": _list(
            say("Hosts that webhooks may call although their addresses are private, such as a CRM in the company's own network."),
            _text("A host's name, or its address.", HOST_NAME, longest=253),
            most=50,
        ),
        "dashboard_frames": _list(
            say("Origins whose pages dashboards may show in a frame; when left out, none."), _text("Origin of a page.", ORIGIN), most=50
        ),
        "caps": _free_mapping(
            say("The most shares in 24 hours, by channel; channels that write to phones have caps of their own when left out."),
            _mapping(
                "Caps of one channel; what is left out has no cap, or that of its kind.",
                {
                    "per_supporter": _count("By one supporter."),
                    "per_record": _count("Of one record's sessions."),
                    "per_object": _count("Of all records of one supported object."),
                    "per_day": _count("By everybody."),
                },
            ),
            NAME,
        ),
        "retention": _mapping(
            say("How long rows are kept; the job `retention` removes older ones."),
            {
                "events": _text("Events, which live listeners and webhooks catch up from.", DURATION, longest=10, default="7d"),
                "job_runs": _text("Runs of jobs.", DURATION, longest=10, default="90d"),
                "webhook_deliveries": _text(
                    "Deliveries of webhooks that are over, or wait for a disabled one.", DURATION, longest=10, default="30d"
                ),
                "alerts": _text("Alerts that are over, and notices.", DURATION, longest=10, default="365d"),
                "messages": _text("Subject and text of shares; the share itself stays. When left out, for ever.", DURATION, longest=10),
                "connections": _text("Connections of the reports. When left out, for ever.", DURATION, longest=10),
            },
        ),
    },
)

_JOBS = _file(
    "Jobs",
    "When the host does what nobody asks for.",
    {
        name: _mapping(
            description,
            {
                "every": _text(
                    joined(say("Time between two runs, counted from midnight UTC where it divides a day."), default), DURATION, longest=10
                ),
                "cron": _text(say("Instead of `every`: minute, hour, day of month, month, day of week."), CRON, longest=100),
                "timezone": _text(say("The time zone in which `cron` is read."), TIMEZONE, longest=40, default="UTC"),
                "enabled": _boolean(say("False: only by hand."), True),
                "retries": _count(say("How often a failed run is tried again by itself."), least=0, most=20, default=5),
            },
        )
        for name, (description, default) in {
            "company_report": (say("Read the connections of all provider accounts."), say("By default 24h.")),
            "reconciliation": (say("Settle what crashes and lost answers left behind."), say("By default 1h.")),
            "retention": (say("Remove what is kept for a set time only."), say("By default 24h.")),
            "token_refresh": (say("Renew sign-ins at providers and CRMs, and make sure that they hold."), say("By default 1h.")),
        }.items()
    },
)

_RANGE: Schema = {
    "type": ["string", "object"],
    "if": {"type": "string"},
    "then": {"enum": [f"{days}d" for days in DAYS]},
    "else": {
        "properties": {"from": _text("The first day.", DAY), "to": _text("The last day.", DAY)},
        "required": ["from", "to"],
        "additionalProperties": False,
    },
}
_RANGE_WORDS = "7d, 14d, 30d or 90d up to today, or from one day to another."

_TILE = _mapping(
    "One chart, list, text or frame.",
    {
        "name": _text("Name of the tile, in addresses; no two of a dashboard have the same.", NAME, longest=64),
        "kind": _choice("What it shows.", list(KINDS)),
        "title": _text("What stands above it.", longest=80),
        "width": _count("How wide it is; a row is 12 wide.", least=1, most=WIDEST, default=4),
        "height": _count("How high it is, in steps; a row is as high as its highest tile.", least=1, most=8, default=2),
        "data": _choice("What it is made of.", list(DATA)),
        "measure": _choice("What is measured.", list(MEASURES), "count"),
        "group": _text("Field by which it is grouped; the largest groups stand by themselves, the others together.", NAME, longest=64),
        "interval": _choice("The steps of time of a column chart or line.", list(INTERVALS), "day"),
        "filter": _free_mapping(
            "Only rows whose fields have these values, by field: one value, or a list of which one has to fit.",
            {
                "description": "A value, or a list of values.",
                "type": ["string", "boolean", "array"],
                "minLength": 1,
                "maxLength": 255,
                "items": _text("A value."),
                "minItems": 1,
                "maxItems": 50,
                "uniqueItems": True,
            },
            NAME,
        ),
        "range": _RANGE | {"description": f"{_RANGE_WORDS} When left out, that of the dashboard."},
        "columns": _list("The columns of a list; when left out, the usual ones.", _text("A column.", NAME, longest=64), most=12),
        "order": _choice("Which rows of a list come first.", ["newest", "oldest"], "newest"),
        "limit": _count("The most rows of a list.", least=1, most=50, default=10),
        "text": {
            "description": "The text of a tile of kind text; an empty line begins a paragraph.",
            "type": "string",
            "minLength": 1,
            "maxLength": 4000,
        },
        "url": _text("The page in a frame; its origin stands under `dashboard_frames` of host.yaml.", SAFE_ADDRESS, longest=500),
    },
    ("name", "kind", "title"),
)

_DASHBOARD = _file(
    "Dashboard",
    "Charts, lists, texts and frames on what was done.",
    {
        "name": _text("Name of the dashboard, in addresses.", NAME, longest=64),
        "label": _text("What people call it.", longest=80),
        "state": _choice("Drafts are seen by those alone who may edit dashboards.", ["draft", "published"], "draft"),
        "roles": _list(
            "Permission sets whose holders may see it, where their level of `dashboard.read` is own; with all it needs no role.",
            _text("Name of a permission set.", NAME, longest=64),
            most=50,
        ),
        "range": _RANGE | {"description": f"What is looked at until somebody chooses otherwise: {_RANGE_WORDS}", "default": "30d"},
        "rows": _list(
            "The tiles, row by row.",
            _mapping("One row.", {"tiles": _list("The tiles of the row, from left to right.", _TILE, most=WIDEST)}, ("tiles",)),
            most=12,
        ),
    },
    ("name", "label", "rows"),
)

SCHEMAS: Mapping[str, Schema] = {
    "dashboard": _DASHBOARD,
    "host": _HOST,
    "jobs": _JOBS,
    "permission-set": _PERMISSION_SET,
    "plugin": _PLUGIN,
    "sessions": _SESSIONS,
    "source": _SOURCE,
    "supported-object": _SUPPORTED_OBJECT,
}
"""By kind of file; the kind is also the name under which the schema is published."""


def published() -> dict[str, str]:
    """The text of each published schema, by file name (``supported-object.json``)."""
    return {f"{kind}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for kind, schema in SCHEMAS.items()}
