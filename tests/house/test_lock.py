"""Locks are in step with the requirements, and the check notices when they are not."""

from __future__ import annotations

import shutil

import pytest

from tests import lock


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(lock.FOLDER, tmp_path / "requirements")


def _edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_locks_are_in_step():
    assert lock.problems() == []


def test_a_new_requirement_without_a_lock_is_noticed(folder):
    with (folder / "base.in").open("a") as file:
        file.write("stripe>=16\n")
    said = lock.problems(folder)
    assert "base.txt: made from other requirements; run python -m tests.lock" in said
    assert "base.txt: stripe is not locked" in said


def test_a_pin_outside_its_bounds_a_missing_hash_an_address_and_a_missing_bound_are_noticed(folder):
    wagtail = lock.pins("base.txt", folder)["wagtail"]
    _edit(folder / "base.txt", f"wagtail=={wagtail}", "wagtail==6.0")
    _edit(folder / "dev.txt", "annotated-types==", "new-thing==1.0\nannotated-types==")
    _edit(folder / "dev.in", "pytest>=9.0", "pytest")
    with (folder / "dev.txt").open("a") as file:
        file.write("# https://example.org/simple\n")
    said = lock.problems(folder)
    assert "base.txt: wagtail 6.0 is outside <7.5,>=7.4" in said
    assert "dev.txt: new-thing has no hash" in said
    assert "dev.txt: names an address" in said
    assert "base.in, dev.in: pytest has no lower bound" in said
    assert "dev.txt: wagtail is not the 6.0 of base.txt" in said
