"""How problems are printed, for people and for machines."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from jumpseat.catalogue import problems as module
from jumpseat.catalogue.codes import CODES
from jumpseat.catalogue.problems import Problem, formatted, has_errors, in_order, render, summary

MISSPELT = Problem(
    file="metadata/objects/case.yaml",
    line=4,
    column=1,
    code="M102",
    cause="unknown key 'email_template_desciption'",
    fix="did you mean 'email_template_description'?",
    length=25,
    snippet="email_template_desciption: teamviewer_Case_template",
)
WARNING = Problem("metadata/my file, 1.yaml", 2, 3, "M311", "no template: 100%\nat all", severity="warning")


def test_a_problem_reads_as_the_guide_shows_it() -> None:
    assert str(MISSPELT) == (
        "metadata/objects/case.yaml:4:1: error[M102]: unknown key 'email_template_desciption'\n"
        "  4 | email_template_desciption: teamviewer_Case_template\n"
        "    | ^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "fix: did you mean 'email_template_description'?"
    )


def test_a_long_line_is_cut_around_the_place() -> None:
    problem = Problem("x", 10, 501, "M102", "c", length=3, snippet="a" * 500 + "bcd" + "e" * 500)

    lines = render(problem).split("\n")
    column = lines[2].index("^")

    assert len(lines[1]) < 140
    assert lines[1][column : column + 3] == "bcd"
    assert lines[2].count("^") == 3


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert render(Problem("x", 1, 1, "M206", "c", snippet="a\x1b[31m\tb")).split("\n")[1] == "  1 | a�[31m b"


def test_problems_are_sorted_and_stand_once() -> None:
    first, second = Problem("a", 2, 1, "M102", "x"), Problem("a", 10, 1, "M102", "x")

    assert in_order([second, first, second]) == (first, second)


def test_a_warning_is_no_error() -> None:
    assert not has_errors([WARNING])
    assert has_errors([WARNING, MISSPELT])
    assert summary([WARNING, MISSPELT, MISSPELT]) == "2 errors, 1 warning"
    assert summary([]) == "no problems"


def test_json_holds_the_same_list() -> None:
    shown = json.loads(formatted([MISSPELT], "json"))

    assert shown == {
        "problems": [
            {
                "file": "metadata/objects/case.yaml",
                "line": 4,
                "column": 1,
                "length": 25,
                "code": "M102",
                "severity": "error",
                "cause": "unknown key 'email_template_desciption'",
                "fix": "did you mean 'email_template_description'?",
                "snippet": "email_template_desciption: teamviewer_Case_template",
            }
        ]
    }


def test_sarif_names_rule_place_and_level() -> None:
    log = json.loads(formatted([MISSPELT, WARNING], "sarif"))
    run = log["runs"][0]

    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["M102", "M311"]
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [("M102", "error"), ("M311", "warning")]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "metadata/objects/case.yaml"}
    assert place["region"] == {"startLine": 4, "startColumn": 1, "endColumn": 26, "snippet": {"text": MISSPELT.snippet}}


def test_a_github_annotation_is_one_escaped_line() -> None:
    assert formatted([WARNING], "github") == (
        "::warning file=metadata/my file%2C 1.yaml,line=2,col=3,endColumn=4,title=M311%3A no template applies::no template: 100%25%0Aat all"
    )


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained_in_full_sentences(code: str) -> None:
    explained = CODES[code]

    assert explained.title
    assert explained.title[0].islower() or explained.title.startswith(("CRM", "HTML", "YAML"))
    assert explained.explanation.endswith(".")
    assert explained.wrong
    assert explained.right


def test_every_code_that_is_used_is_explained_and_the_other_way_round() -> None:
    folder = Path(module.__file__).parent
    used = {code for file in folder.glob("*.py") if file.name != "codes.py" for code in re.findall(r'"(M\d{3})"', file.read_text())}

    assert used == set(CODES)
