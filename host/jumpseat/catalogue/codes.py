"""The codes of metadata problems, each explained for ``jumpseat explain CODE``.

M1xx: keys and values of one file. M2xx: the file itself and its YAML. M3xx: what one file says about others, plugins and the
CRM. M4xx: templates.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of problem."""

    title: str
    """A few words, as on a list."""
    explanation: str
    """What it means and why it is refused, in full sentences."""
    wrong: str
    """The smallest text that has the problem."""
    right: str
    """The same, put right."""


_KEYS = {
    "M101": Code(
        "required key missing",
        "A key that has no default was left out. The README in metadata/ lists the keys of each file and which are required.",
        "label: Case\nsupported_object: Case",
        "label: Case\nsupported_object: Case\nname_field: CaseNumber\nemail_template_description: teamviewer_Case_template\n"
        "allow_custom_recipient: false",
    ),
    "M102": Code(
        "unknown key",
        "The key is not one of this file. Most often it is misspelt or stands one level too deep. Unknown keys are refused, because a "
        "misspelt key that is silently ignored looks like a setting that does not work.",
        "email_template_desciption: teamviewer_Case_template",
        "email_template_description: teamviewer_Case_template",
    ),
    "M103": Code(
        "wrong kind of value",
        "The key takes another kind of value: a text, true or false, a whole number, a list or a mapping. In YAML only the words true "
        "and false are booleans here; yes, no, on and off are texts.",
        "allow_custom_recipient: yes",
        "allow_custom_recipient: true",
    ),
    "M104": Code(
        "not one of the choices",
        "The key takes one of a few fixed words, and this is none of them.",
        "notify_on_join: sometimes",
        "notify_on_join: when_shared",
    ),
    "M105": Code(
        "wrong form",
        "The text does not have the form that the key needs: a name of letters, digits and '_', a duration such as 24h, a web address "
        "that begins with https://, a language such as fr.",
        "valid_for: 24 hours",
        "valid_for: 24h",
    ),
    "M106": Code(
        "needs quotes",
        "YAML programs disagree on what an unquoted word such as NO, 012, 1.10, 12:30 or 2024-01-31 means: a number, a boolean, a date "
        "or a text. Where a name or a text is expected, such a value has to stand in quotes.",
        "label: 012",
        'label: "012"',
    ),
    "M107": Code(
        "no value",
        "The key stands there without a value (or with null or ~). Absent is absent: leave out an optional key, fill in a required one.",
        "source:",
        "source: sandbox",
    ),
    "M108": Code(
        "repeated item",
        "A list that may hold each item once holds one twice.",
        "share_channels: [email, sms, email]",
        "share_channels: [email, sms]",
    ),
    "M109": Code(
        "out of range",
        "The value is too long, too short, too large, too small, or a list has too few or too many items.",
        "template_fields: []",
        "template_fields: [Status]",
    ),
    "M110": Code(
        "secret written in the metadata",
        "Metadata is read by many people and kept in version control, so a secret never stands in it. Name where it is to be read: an "
        "environment variable or a file. If the secret was ever saved or shared, have it replaced: it must be taken for known.",
        "settings:\n  token: (the secret itself)",
        "settings:\n  token: {env: TEAMVIEWER_TOKEN}",
    ),
    "M111": Code(
        "secret not found",
        "The environment variable is not set, or the file is not there, cannot be read, or is empty. The metadata is right, the machine "
        "lacks the secret.",
        "settings:\n  token: {env: NOT_SET_ANYWHERE}",
        "settings:\n  token: {env: TEAMVIEWER_TOKEN}",
    ),
    "M112": Code(
        "schedule that cannot be kept",
        "A job has either 'every' or 'cron'. A cron expression has to name times that come: minute 0 to 59, hour 0 to 23, day of month 1 "
        "to 31, month 1 to 12 and day of week 0 to 7 (0 and 7 are Sunday), and no 30th of February. It is read in 'timezone', a name of "
        "the IANA time zone database.",
        'retention: {cron: "0 25 * * *"}',
        'retention: {cron: "0 5 * * *"}',
    ),
    "M113": Code(
        "tile that cannot be drawn",
        "Each kind of tile needs some keys and has no use for others: charts need 'data', a bar chart and a donut 'group', a text 'text' "
        "and a frame 'url'. What shows the parts of a whole (a donut, a column chart with groups) measures what adds up.",
        "kind: donut\ndata: connections\ngroup: supporter\nmeasure: average_minutes",
        "kind: bar\ndata: connections\ngroup: supporter\nmeasure: average_minutes",
    ),
    "M114": Code(
        "field that the data does not have",
        "Sessions, shares and connections have fields of their own, by which they are grouped and filtered, columns for lists, and "
        "measures. The README in metadata/ lists them.",
        "data: shares\ngroup: chanel",
        "data: shares\ngroup: channel",
    ),
    "M115": Code(
        "row too wide",
        "A row of a dashboard is 12 wide; the widths of its tiles add up to no more. A tile without a width is 4 wide.",
        "tiles: [{width: 8, …}, {width: 6, …}]",
        "tiles: [{width: 8, …}, {width: 4, …}]",
    ),
    "M116": Code(
        "range that there is not",
        "A range is 7d, 14d, 30d or 90d, up to today; or it goes from one day of the calendar to another, later one, at most 1830 days "
        "long.",
        'range: {from: "2026-02-01", to: "2026-02-30"}',
        'range: {from: "2026-02-01", to: "2026-02-28"}',
    ),
}

_FILES = {
    "M201": Code(
        "not YAML",
        "The text cannot be read as YAML. The place shown is where the reader gave up; the mistake is there or just before.",
        "label: Case: open",
        'label: "Case: open"',
    ),
    "M202": Code(
        "repeated key",
        "One mapping has the same key twice. Most YAML programs silently take the last one; here it is refused.",
        "label: Case\nlabel: Ticket",
        "label: Ticket",
    ),
    "M203": Code(
        "anchor, alias or merge key",
        "Anchors (&name), aliases (*name) and merge keys (<<) are refused: a few lines of them can stand for billions of values, and a "
        "value that stands elsewhere has no place of its own to name in an error.",
        "label: &name Case\nsupported_object: *name",
        "label: Case\nsupported_object: Case",
    ),
    "M204": Code(
        "tag",
        "Tags (!name, !!name) are refused: they ask the reader to build something other than plain values.",
        "label: !!python/name:os.system Case",
        "label: Case",
    ),
    "M205": Code(
        "several documents",
        "A file holds one YAML document. Text behind a line '---' or '...' would be ignored, so it is refused.",
        "label: Case\n---\nlabel: Lead",
        "label: Case",
    ),
    "M206": Code(
        "wrong encoding",
        "Files are UTF-8 (a byte order mark in front is passed over), without control characters, invisible line breaks and characters "
        "that turn the direction of writing.",
        "a file saved as UTF-16, Latin-1 or with NUL bytes",
        "the same text saved as UTF-8",
    ),
    "M207": Code(
        "tab",
        "YAML does not allow tabs for indentation, and a tab looks different in each editor.",
        "settings:\n\tport: 25",
        "settings:\n  port: 25",
    ),
    "M208": Code(
        "file too large",
        "The file, its number of values or its depth of nesting is beyond what any real metadata needs; reading on would only serve "
        "somebody who wants to keep the host busy.",
        "[[[[[[[[[[ ... hundreds deep ... ]]]]]]]]]]",
        "a file of less than 256 KiB, 10,000 values and 32 levels",
    ),
    "M209": Code(
        "file cannot be read",
        "The file is there, but the host may not read it, it is not a regular file, or it is a link that leads nowhere.",
        "metadata/objects/case.yaml with permissions 000",
        "the same file, readable by the user that the host runs as",
    ),
    "M210": Code(
        "empty file",
        "The file holds nothing but white space and comments. Delete it, or write its keys.",
        "# only a comment",
        "label: Case",
    ),
    "M211": Code(
        "file not known here",
        "Nothing reads this file, so what stands in it has no effect. Its name is misspelt, it ends in .yml instead of .yaml, or it "
        "stands in the wrong folder.",
        "metadata/object/case.yaml",
        "metadata/objects/case.yaml",
    ),
    "M212": Code(
        "not a workspace",
        "The folder has no metadata/ folder, so there is nothing to read.",
        "jumpseat check /tmp",
        "jumpseat init /tmp/workspace && jumpseat check /tmp/workspace",
    ),
    "M213": Code(
        "key is not a text",
        "A mapping or a list stands where a key is expected. Most often a value that begins with '{' or '[' lacks quotes.",
        "{label}: Case",
        "label: Case",
    ),
}

_REFERENCES = {
    "M301": Code(
        "name used twice",
        "Two files name the same thing: the same supported object of one record source, or the same permission set, source, plugin or "
        "dashboard; or two tiles of one dashboard have one name.",
        "two files with supported_object: Case",
        "one file with supported_object: Case",
    ),
    "M302": Code(
        "unknown session type",
        "No plugin that is loaded brings a session type of this name. 'jumpseat plugins list' shows those there are.",
        "session_types: [remote_controll]",
        "session_types: [remote_control]",
    ),
    "M303": Code(
        "unknown share channel",
        "No plugin that is loaded brings a share channel of this name. 'jumpseat plugins list' shows those there are.",
        "share_channels: [mail]",
        "share_channels: [email]",
    ),
    "M304": Code(
        "unknown record source",
        "No file in metadata/sources/ has this name.",
        "source: sandbx",
        "source: sandbox",
    ),
    "M305": Code(
        "unknown kind of record source",
        "No plugin that is loaded brings record sources of this kind.",
        "kind: salesfroce",
        "kind: salesforce",
    ),
    "M306": Code(
        "unknown plugin",
        "No plugin of this name is installed.",
        "plugin: emial",
        "plugin: email",
    ),
    "M307": Code(
        "unknown setting",
        "The plugin or the kind of record source has no setting of this name.",
        "settings:\n  prot: 25",
        "settings:\n  port: 25",
    ),
    "M308": Code(
        "required setting missing",
        "The plugin or the kind of record source cannot work without this setting.",
        "settings: {}",
        "settings:\n  instance_url: https://example.my.salesforce.com",
    ),
    "M309": Code(
        "object not in the CRM",
        "The record source was asked and knows no object of this name.",
        "supported_object: Cas",
        "supported_object: Case",
    ),
    "M310": Code(
        "field not in the CRM",
        "The record source was asked and its object has no field of this name, or the host's user may not read it.",
        "name_field: CaseNumbr",
        "name_field: CaseNumber",
    ),
    "M311": Code(
        "no template applies",
        "No template has the description that the object names, and none names the object. The default template of the channel is used "
        "until there is one.",
        "email_template_description: teamviewer_Cas_template",
        "email_template_description: teamviewer_Case_template",
    ),
    "M312": Code(
        "unknown right",
        "There is no resource or no verb of this name.",
        "rights:\n  sessions: own",
        "rights:\n  session: own",
    ),
    "M313": Code(
        "record source not clear",
        "There are several record sources, and neither the object nor the host settings say which one the object belongs to.",
        "supported_object: Case",
        "supported_object: Case\nsource: sandbox",
    ),
    "M314": Code(
        "unknown language",
        "The default language is not among the languages.",
        "languages: [en]\ndefault_language: fr",
        "languages: [en, fr]\ndefault_language: fr",
    ),
    "M315": Code(
        "CRM not asked",
        "The record source could not be asked whether the object and its fields exist: it cannot be reached, or the host is not signed "
        "in. The metadata may be right.",
        "jumpseat check --live, without a network",
        "the same with the CRM in reach",
    ),
    "M316": Code(
        "page that dashboards may not show",
        "A page in a frame of a dashboard comes from an origin that the host settings list under 'dashboard_frames'; browsers are told to "
        "show no other.",
        "url: https://reports.example.com/today",
        "the same, and in metadata/host.yaml\ndashboard_frames: [https://reports.example.com]",
    ),
    "M317": Code(
        "unknown permission set",
        "No file in metadata/permission_sets/ has this name. The roles of a dashboard are names of permission sets.",
        "roles: [users]",
        "roles: [user]",
    ),
    "M318": Code(
        "field not checked",
        "A field of a related object, such as Account.Name, was not looked for: the record source does not tell where the relation leads, "
        "or it leads to many objects. It may be right.",
        "template_fields: [Account.Name], from a source that knows no relations",
        "the same, after a look into the CRM",
    ),
}

_TEMPLATES = {
    "M401": Code(
        "name of a template's file",
        "The files of a channel are called NAME.LANGUAGE.txt; the HTML form of the same text stands beside it as NAME.LANGUAGE.html.",
        "templates/email/case.txt",
        "templates/email/case.en.txt",
    ),
    "M402": Code(
        "no front matter",
        "A template begins with a line '---', then its keys in YAML, then another line '---'; the text follows.",
        "Please follow the link: {{ session.customer_link }}",
        "---\nname: default\n---\nPlease follow the link: {{ session.customer_link }}",
    ),
    "M403": Code(
        "template twice",
        "Two files hold a template of the same name, channel and language; nobody could say which one is sent.",
        "two files of templates/sms/ with name: default and language: en",
        "one of them with another name or language",
    ),
    "M404": Code(
        "language",
        "The language is a BCP 47 tag such as en, fr or fr-CA for which there are words of dates, and the front matter says the same as "
        "the name of the file.",
        "templates/email/case.english.txt",
        "templates/email/case.en.txt",
    ),
    "M405": Code(
        "not a template",
        "The text cannot be read as Jinja: a bracket, a quote or an if is not closed, or a tag is not known.",
        "{% if message %}{{ message }}",
        "{% if message %}{{ message }}{% endif %}",
    ),
    "M406": Code(
        "unknown variable",
        "There is no variable of this name. Those there are stand in templates/README.md; a field of the record must be among the "
        "template_fields of the object.",
        "{{ record.nmae }}",
        "{{ record.name }}",
    ),
    "M407": Code(
        "not allowed in a template",
        "Templates are text with places, if and a few filters. Loops, assignments, calls and arithmetic are refused, so that no template "
        "can reach into the host or keep it busy.",
        "{% for i in range(9) %}{{ i }}{% endfor %}",
        "{{ record.name }}",
    ),
    "M408": Code(
        "merge field not understood",
        "Of Salesforce's merge fields those are understood that templates/README.md lists. The others are refused instead of sending "
        "empty places.",
        "{!Contact.FistName}",
        "{!Contact.FirstName}",
    ),
    "M409": Code(
        "supporter link",
        "The link with which a supporter joins is a secret: whoever has it can control the session. No template can show it.",
        "{{ session.supporter_link }}",
        "{{ session.customer_link }}",
    ),
    "M410": Code(
        "no customer link",
        "A share exists to bring the customer link; its text has to show it, and its HTML as well.",
        "Your session is ready.",
        "Your session is ready: {{ session.customer_link }}",
    ),
    "M411": Code(
        "unsafe place in HTML",
        "Values are escaped, which protects the text and quoted attributes. In an address, a style, a script or outside of quotes it does "
        "not, so no value may stand there; the customer link as a whole address is the exception.",
        "<a title={{ record.name }}>",
        '<a title="{{ record.name }}">',
    ),
    "M412": Code(
        "HTML without text",
        "Every template has a text, for people and programs that show no HTML; the HTML form stands beside it.",
        "templates/email/case.en.html alone",
        "templates/email/case.en.txt and templates/email/case.en.html",
    ),
    "M413": Code(
        "template too large",
        "A template has at most 64 KiB of text, 64 KiB of HTML, 4000 places and 24 levels of if.",
        "a template of some hundred pages",
        "a template of one page",
    ),
    "M414": Code(
        "subject not safe",
        "A subject is one line. Encoded words (=?utf-8?q?...?=) are refused in it, because programs that read them can be made to see "
        "further header lines; write the letters themselves.",
        'subject: "=?utf-8?q?Votre_session?="',
        'subject: "Votre session"',
    ),
}

CODES: dict[str, Code] = _KEYS | _FILES | _REFERENCES | _TEMPLATES
"""Every code, sorted."""
