"""Operator's intake: rows become listings, known ones are updated, faults stand in a table, nobody is notified."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from django.core.management import call_command

from cms.models import Achievement, Demand, ListingRecord
from marketplace.accounts.models import Organization
from marketplace.deals.models import MatchDue
from marketplace.intake.models import ImportBatch
from marketplace.intake.rows import excerpt, is_person
from marketplace.notifications.models import Notice
from marketplace.workflow import history
from search.models import SearchChange
from tests.factories import OrganizationFactory, member

pytestmark = pytest.mark.django_db

TEXT = "一种改性铝基填料，把高盐废水里的氟离子从 12 mg/L 降到 0.8 mg/L，填料可再生 18 次。"


def write(folder: Path, *rows: object) -> Path:
    path = folder / "rows.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def run(path: Path, *arguments: str) -> int:
    """The command's exit code."""
    try:
        call_command("import_listings", str(path), *arguments)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def patent(**changes: object) -> dict[str, object]:
    return {"id": "P1", "title": "高盐废水除氟装置", "assignee": "朔方测试大学", "abstract": TEXT, **changes}


def test_the_assignee_is_the_owner_made_unverified_without_code_and_members(tmp_path):
    assert run(write(tmp_path, patent()), "--kind", "achievement", "--publish") == 0
    listing = Achievement.objects.get()
    owner = listing.record.owner
    assert listing.live
    assert listing.summary == TEXT
    assert listing.record.number.startswith("CG-")
    assert (owner.name, owner.kind) == ("朔方测试大学", "university")
    assert owner.verified_at is None
    assert owner.credit_code is None
    assert not owner.memberships.exists()
    assert owner.names.get().name == "朔方测试大学"
    assert SearchChange.objects.filter(key=listing.record.number).exists()
    assert MatchDue.objects.get(record=listing.record).is_quiet
    assert not Notice.objects.exists()
    assert "未经审核直接公开" in next(iter(history(listing))).data["note"]


def test_a_second_run_updates_nothing_and_a_changed_row_is_updated(tmp_path):
    run(write(tmp_path, patent()), "--kind", "achievement", "--publish")
    before = ListingRecord.objects.get()
    run(write(tmp_path, patent()), "--kind", "achievement", "--publish")
    assert ListingRecord.objects.get().search_version == before.search_version
    assert ImportBatch.objects.first().unchanged == 1
    run(write(tmp_path, patent(title="高盐废水除氟装置二代")), "--kind", "achievement", "--publish")
    after = ListingRecord.objects.get()
    assert after.listing.title == "高盐废水除氟装置二代"
    assert after.search_version > before.search_version
    assert ImportBatch.objects.first().updated == 1


def test_what_was_edited_on_the_site_is_not_overwritten(tmp_path):
    run(write(tmp_path, patent()), "--kind", "achievement", "--publish")
    listing = Achievement.objects.get()
    listing.title = "单位自己改的名称"
    revision = listing.save_revision()
    listing.publish(revision)
    assert run(write(tmp_path, patent(title="文件里的名称")), "--kind", "achievement") == 1
    assert Achievement.objects.get().title == "单位自己改的名称"


def test_a_natural_person_is_a_holder_not_an_organisation(tmp_path):
    run(write(tmp_path, patent(assignee="测试甲")), "--kind", "achievement", "--publish")
    record = ListingRecord.objects.get()
    assert record.owner is None
    assert record.holder_name == "测试甲"
    assert not Organization.objects.exists()
    run(write(tmp_path, patent(assignee="测试甲")), "--kind", "achievement", "--publish")
    assert ListingRecord.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "person"), [("王四", True), ("测试甲", True), ("某某院", False), ("塔林大学", False), ("IBM", False)]
)
def test_who_is_a_person(name, person):
    assert is_person(name) is person


def test_row_errors_stand_in_a_table_and_good_rows_go_in(tmp_path, capsys):
    path = write(
        tmp_path,
        patent(),
        "not json",
        patent(id="P2", title=""),
        patent(id="P3", abstract="太短"),
        patent(id="P4", assignee=""),
        patent(id="P5", technology_field="9999"),
        patent(),
        patent(id="P6", abstract="机密★ " + TEXT),
        patent(id="P7", title="长" * 101),
    )
    assert run(path, "--kind", "achievement", "--publish") == 1
    out = capsys.readouterr().out
    assert "新建 1" in out
    assert "行号\t字段\t内容\t原因" in out
    assert {e["row"] for e in ImportBatch.objects.get().errors} == {2, 3, 4, 5, 6, 7, 8, 9}
    assert "机密" not in json.dumps(ImportBatch.objects.get().errors, ensure_ascii=False)
    assert Achievement.objects.count() == 1


def test_one_owner_for_all_by_credit_code_and_a_column_mapped(tmp_path):
    owner = OrganizationFactory()
    row = {"id": "D1", "title": "煤化工废水除氟", "text": TEXT}
    path = write(tmp_path, row)
    assert run(path, "--kind", "demand", "--org", owner.credit_code, "--map", "text=problem", "--publish") == 0
    demand = Demand.objects.get()
    assert demand.record.owner == owner
    assert demand.problem == TEXT
    assert demand.summary
    assert demand in Demand.objects.visible_to(member(owner))


def test_without_publish_they_are_drafts(tmp_path):
    run(write(tmp_path, patent()), "--kind", "achievement")
    assert not Achievement.objects.get().live
    assert not SearchChange.objects.exists()
    run(write(tmp_path, patent()), "--kind", "achievement", "--publish")
    assert Achievement.objects.get().live


def test_a_dry_run_keeps_nothing_but_its_report(tmp_path, capsys):
    assert run(write(tmp_path, patent()), "--kind", "achievement", "--publish", "--dry-run") == 0
    assert "试运行，没有保存" in capsys.readouterr().out
    assert not ListingRecord.objects.exists()
    assert not Organization.objects.exists()
    assert ImportBatch.objects.get().is_dry_run


@pytest.mark.parametrize(
    "arguments",
    [
        ["--org", "91110000600037341X"],
        ["--org", "91110000600037341L"],
        ["--org", "DW-2026-ABCDEF"],
        ["--map", "abstract"],
        ["--map", "abstract=nonsense"],
    ],
)
def test_wrong_arguments_are_exit_code_two(tmp_path, arguments, capsys):
    assert run(write(tmp_path, patent()), "--kind", "achievement", *arguments) == 2
    assert capsys.readouterr().err.strip()
    assert not ImportBatch.objects.exists()


def test_a_missing_file_is_exit_code_two(tmp_path):
    assert run(tmp_path / "none.jsonl", "--kind", "demand") == 2


def test_an_owner_may_edit_what_was_imported(tmp_path, client):
    owner = OrganizationFactory(name="塔林除氟有限公司")
    run(write(tmp_path, patent(assignee=owner.name)), "--kind", "achievement", "--publish")
    record = ListingRecord.objects.get()
    assert record.owner == owner
    client.force_login(member(owner))
    assert client.get(f"/desk/listings/{record.number}/edit/").status_code == 200
    assert client.get(f"/desk/listings/{record.number}/").status_code == 200


def test_an_excerpt_ends_with_a_sentence():
    assert excerpt("第一句话说了一些事情。" * 3 + "很长" * 100, 60).endswith("。")
    assert excerpt("短") == "短"


@pytest.mark.judged
@pytest.mark.skipif(not os.environ.get("JUDGED_DATA"), reason="JUDGED_DATA is not set")
def test_the_real_patents_go_in_fast_and_once(monkeypatch):
    import time

    path = Path(os.environ["JUDGED_DATA"]) / "patents.jsonl"
    start = time.monotonic()
    assert run(path, "--kind", "achievement", "--publish") == 0
    assert time.monotonic() - start < 60
    assert Achievement.objects.filter(live=True).count() == 2027
    assert SearchChange.objects.count() >= 2027
    assert run(path, "--kind", "achievement", "--publish") == 0
    batch = ImportBatch.objects.first()
    assert (batch.created, batch.updated, batch.unchanged) == (0, 0, 2027)
