"""The watch over secrets itself: what it finds, and what it leaves alone."""

from __future__ import annotations

from leaks import Leaks


def test_a_secret_in_a_text_is_found_once() -> None:
    leaks = Leaks()
    leaks.secrets.append("a-token-of-the-provider")

    leaks.look("Bearer a-token-of-the-provider was refused", "the log")

    assert leaks.taken() == ["the log"]
    assert leaks.taken() == []


def test_a_text_without_a_secret_is_left_alone() -> None:
    leaks = Leaks()
    leaks.secrets.append("a-token-of-the-provider")

    leaks.look("Bearer *** was refused", "the log")

    assert leaks.taken() == []
