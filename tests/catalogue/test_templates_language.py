"""The language of templates: what it takes, and that what could reach into the host or keep it busy is refused before it runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from effort import calls, grows_faster_than_its_size, peak_bytes
from jumpseat.catalogue.template_language import FILTERS, LINK_PLACE, VALUE_PLACE, inspect

ESCAPES = [
    # Attributes of Python
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ record.__class__ }}",
    "{{ record.name.__class__.__base__.__subclasses__() }}",
    "{{ record['__class__'] }}",
    "{{ record|attr('__class__') }}",
    "{{ record|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ (record|attr('name'))|attr('__init__') }}",
    "{{ ()|attr('__class__')|attr('__base__') }}",
    "{{ [].__class__ }}",
    "{{ {}.__class__ }}",
    "{{ 1 .__class__ }}",
    "{{ true.__class__ }}",
    "{{ none.__class__ }}",
    "{{ message.format }}",
    "{{ session.valid_until.__reduce_ex__(2) }}",
    "{{ session.valid_until.tzinfo }}",
    "{{ session.valid_until.replace(year=1) }}",
    # Jinja's own objects
    "{{ self }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ lipsum() }}",
    "{{ dict(a=1) }}",
    "{{ range(3) }}",
    "{{ url_for.__globals__ }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ config }}",
    "{{ request }}",
    "{{ environment }}",
    "{{ context }}",
    "{{ caller() }}",
    "{{ varargs }}",
    "{{ super() }}",
    "{{ loop }}",
    # Published ways out of the sandbox: format (CVE-2016-10745, CVE-2019-10906), stored format (CVE-2024-56326), attr (CVE-2025-27516)
    "{{ '{0.__class__}'.format(record) }}",
    "{{ '{a.__class__}'.format_map({'a': record}) }}",
    "{% set f = '{0.__class__}'.format %}{{ f(record) }}",
    "{% set m = '{0.__class__.__init__.__globals__}'|attr('format') %}{{ m(self) }}",
    "{{ ('{0.__class__}'|attr('format'))(record) }}",
    "{{ ['{0.__class__}']|map('format', record)|list }}",
    "{{ '%s'|format(record) }}",
    "{{ {'a': 1}|xmlattr }}",
    "{{ {'a b onclick=x': 1}|xmlattr }}",
    "{{ record|map(attribute='__class__')|list }}",
    "{{ [record]|groupby('__class__') }}",
    "{{ [record]|sort(attribute='__class__') }}",
    "{{ record|pprint }}",
    "{{ record|tojson }}",
    "{{ message|safe }}",
    "{{ message|urlize }}",
    "{{ message|striptags }}",
    "{{ message|forceescape }}",
    "{{ record.name is callable }}",
    "{{ message is filter }}",
    # Files and blocks
    "{% include 'metadata/host.yaml' %}",
    "{% import 'x' as y %}",
    "{% from 'x' import y %}",
    "{% extends 'x' %}",
    "{% block a %}{% endblock %}",
    "{% macro a() %}{% endmacro %}",
    "{% call a() %}{% endcall %}",
    "{% filter upper %}x{% endfilter %}",
    "{% with a = record %}{% endwith %}",
    "{% set a = record %}",
    "{% set a %}{{ record.name }}{% endset %}",
    "{% set record.name = 'x' %}",
    "{% autoescape false %}{{ message }}{% endautoescape %}",
    "{% do record %}",
    "{% trans %}x{% endtrans %}",
    "{% debug %}",
    # Secrets by name
    "{{ session.supporter_link }}",
    "{{ session.provider_data }}",
    "{{ session.token }}",
    "{{ supporter.id }}",
    "{{ token }}",
    "{{ host }}",
]

BOMBS = [
    "{{ 'a' * 10**9 }}",
    "{{ 'a' * 1000000000 }}",
    "{{ message * 1000000 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ 9 ** 99999999 }}",
    "{{ 1 << 99999999999 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (1000000000, 1) }}",
    "{{ [0] * 1000000000 }}",
    "{{ (1,) * 1000000000 }}",
    "{{ 'a'.ljust(1000000000) }}",
    "{{ 'a'|center(1000000000) }}",
    "{{ 'a'|indent(1000000000) }}",
    "{{ 'a'|wordwrap(1) }}",
    "{{ message|replace('', message)|replace('', message) }}",
    "{{ message ~ message }}",
    "{{ range(1000000000)|list }}",
    "{{ range(1000000000)|sum }}",
    "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
    "{% for x in message recursive %}{{ loop(message) }}{% endfor %}",
    "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "{{ lipsum(n=1000000) }}",
    "{{ 'x'|truncate(9, true, 'x' * 1000000000) }}",
]
LONG: list[tuple[Callable[[int], str], int]] = [
    (lambda size: "{{ " + "(" * size + "1" + ")" * size + " }}", 20000),
    (lambda size: "{{ " + "not " * size + "message }}", 15000),
    (lambda size: "{{ " + "-" * size + "1 }}", 30000),
    (lambda size: "{{ " + "message or " * size + "message }}", 5000),
    (lambda size: "{{ " + "message if message else " * size + "message }}", 2500),
    (lambda size: "{{ " + "9" * size + " }}", 60000),
    (lambda size: "{% if message %}" * size + "{% endif %}" * size, 2000),
    (lambda size: "{% if message %}" + "{% elif message %}" * size + "{% endif %}", 3000),
    (lambda size: "{{ message|upper" + "|upper" * size + " }}", 8000),
    (lambda size: "{{ record" + ".a" * size + " }}", 30000),
    (lambda size: "{{ [" + "[" * size, 30000),
    (lambda size: "{{{" * size, 20000),
    (lambda size: "{#" * size, 30000),
    (lambda size: "{%" * size, 30000),
    (lambda size: "{% raw %}" * size, 7000),
    (lambda size: "{{ message }}" * size, 5000),
]
"""Texts that are as hostile as they are long, and how often they repeat themselves."""
REFUSALS = {"M405", "M406", "M407", "M413"}


@pytest.mark.parametrize("payload", ESCAPES)
def test_what_could_reach_into_the_host_is_refused_when_the_file_is_read(payload: str):
    assert inspect(payload, ()).problems != ()
    assert inspect(payload, None).problems != () or payload.startswith(("{{ record.__class__ }}", "{{ record.name.__class__"))


def refusals(payload: str) -> set[str]:
    return {problem.code for problem in inspect(payload, ()).problems}


@pytest.mark.parametrize("payload", BOMBS, ids=range(len(BOMBS)))
def test_what_could_keep_the_host_busy_is_refused_before_it_does(payload: str):
    codes: set[str] = set()

    assert peak_bytes(lambda: codes.update(refusals(payload))) < 5_000_000
    assert calls(lambda: codes.update(refusals(payload))) < 100_000
    assert codes
    assert codes <= REFUSALS


@pytest.mark.parametrize(("payload", "size"), LONG, ids=range(len(LONG)))
def test_what_is_long_and_hostile_costs_no_more_to_refuse_than_its_length(payload: Callable[[int], str], size: int):
    codes: dict[int, set[str]] = {}

    assert not grows_faster_than_its_size(lambda size: codes.update({size: refusals(payload(size))}), size)
    assert codes[size]
    assert codes[size] <= REFUSALS


@pytest.mark.parametrize(
    ("text", "cause", "fix"),
    [
        (
            "{% for x in message %}{% endfor %}",
            "a loop is not allowed in a template",
            "a template is a text with places, {% if %} and filters; templates/README.md lists what there is",
        ),
        ("{{ record['Name'] }}", "a look-up in brackets is not allowed in a template", "write record.<field>"),
        (
            "{% if message is defined %}{% endif %}",
            "a test with 'is' is not allowed in a template",
            "ask with {% if message %} whether there is something",
        ),
        ("{{ message ~ message }}", "joining with '~' is not allowed in a template", "write the places one after the other"),
        ("{{ message|uper }}", "there is no filter 'uper'", "did you mean 'upper'?"),
        ("{{ message|safe }}", "there is no filter 'safe'", f"there are {', '.join(sorted(FILTERS))}"),
        ("{{ message|truncate }}", "the filter 'truncate' is not used as it is meant", f"truncate: {FILTERS['truncate']}"),
        (
            "{{ session.customer_link|upper }}",
            "the customer link cannot be changed by a filter",
            "write {{ session.customer_link }}",
        ),
        (
            "{% if message < 'a' %}{% endif %}",
            "only ==, != and in are compared with",
            "a template is a text with places, {% if %} and filters; templates/README.md lists what there is",
        ),
    ],
)
def test_what_is_not_part_of_the_language_is_named_with_what_to_write_instead(text: str, cause: str, fix: str):
    problem = inspect(text, ()).problems[0]

    assert (problem.code, problem.cause, problem.fix) == ("M407", cause, fix)


@pytest.mark.parametrize(
    "text",
    [
        "{{ recipient.first_name or recipient.name or 'customer' }}",
        "{% if session.type == 'pilot' %}a{% elif message %}b{% else %}c{% endif %}",
        "{% if session.type in ('pilot', 'remote_control') and not message %}a{% endif %}",
        "{{ 'yes' if message else 'no' }}",
        "{{ record.name|truncate(40)|upper }}",
        "{{ recipient.name|default('customer') }}",
        "{{ session.valid_until|date }} {{ session.valid_until|time }} {{ session.valid_until|short }}",
        "{{ message|trim|lines }}",
        "{# a remark #}{% raw %}{{ as it is }}{% endraw %}{{ '{!' }}",
    ],
)
def test_what_a_share_needs_is_part_of_the_language(text: str):
    assert inspect(text, ()).problems == ()


def test_the_skeleton_shows_where_values_go():
    seen = inspect("a {{ session.customer_link }}{% if message %} b {{ message }}{% endif %}")

    assert seen.skeleton == f"a {LINK_PLACE} b {VALUE_PLACE}"
    assert seen.shows_link
