"""What the README tells people to type exists, with these arguments; what it points to is there."""

from __future__ import annotations

import re
import shlex

import pytest
from django.core.management import get_commands, load_command_class

from tests.conftest import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = [
    line
    for block in re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line and not line.startswith("#")
]
MANAGE = [line.split("./run manage ", 1)[1] for line in LINES if "./run manage " in line]


def test_it_has_commands_at_all():
    assert len(MANAGE) >= 8
    assert "./run" in LINES


@pytest.mark.parametrize("line", MANAGE)
def test_a_command_of_the_readme_exists_and_takes_these_arguments(line):
    name, *arguments = shlex.split(line)
    assert name in get_commands()
    load_command_class(get_commands()[name], name).create_parser("manage.py", name).parse_args(arguments)


@pytest.mark.parametrize("line", [line for line in LINES if "./run manage " not in line])
def test_a_form_of_the_script_exists(line):
    words = [word for word in shlex.split(line) if "=" not in word]
    assert words[0] == "./run"
    assert len(words) == 1 or f"\n    {words[1]})" in (ROOT / "run").read_text()


def test_every_folder_of_the_map_is_there():
    section = TEXT.split("## 文件夹")[1].split("## ")[0]
    for row in re.findall(r"^\| (.*?) \|", section, re.MULTILINE)[2:]:
        base = ""
        for path in re.findall(r"`([^`]+)`", row):
            found = ROOT / path if (ROOT / path).exists() else ROOT / base / path
            assert found.exists(), path
            base = path.rsplit("/", 2)[0] if path.count("/") > 1 else path.rsplit("/", 1)[0]


def test_no_path_of_a_machine_stands_in_it():
    assert not re.search(r"(?<![\w.])/(home|root|tmp|work|Users)/", TEXT)
