"""The back office: Chinese snippet pages, records made beside listings, no deletion, no copy, no inline script."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from wagtail import hooks

from cms import publishing
from cms.models import Demand, Expert, ListingRecord, NewsIndexPage, NewsPage, TechnologyField
from tests.factories import DemandFactory, ExpertFactory, OrganizationFactory, UserFactory, member

pytestmark = pytest.mark.django_db


def url(model, name, *args) -> str:
    hooks.search_for_hooks()
    return reverse(model.snippet_viewset.get_url_name(name), args=args)


@pytest.fixture
def boss(client):
    user = UserFactory(is_superuser=True)
    client.force_login(user)
    return user


def blank_expert(owner, **changes):
    names = ("title", "summary", "body", "keywords", "technology_field", "region", "contact_name", "contact_phone")
    data = dict.fromkeys((*names, "contact_email", "title_en", "summary_en", "position", "services", "valid_until"), "")
    return {**data, "title": "哈斯巴根", "disclosure_level": "L0", "owner": owner.pk, **changes}


def test_an_editor_makes_an_expert_and_its_record(client):
    editor = UserFactory(editor=True)
    client.force_login(editor)
    owner = OrganizationFactory()
    page = client.get(url(Expert, "add"))
    assert page.status_code == 200
    assert "职称、职务" in page.content.decode()
    answer = client.post(url(Expert, "add"), blank_expert(owner))
    assert answer.status_code == 302
    expert = Expert.objects.get()
    assert expert.record.number.startswith("ZJ-")
    assert expert.record.owner == owner
    assert expert.record.created_by == editor
    assert not expert.live


def test_a_marked_text_is_refused_in_the_back_office_too(client, boss):
    page = client.post(url(Expert, "add"), blank_expert(OrganizationFactory(), body="机密★ 二十年"))
    assert page.status_code == 200
    assert "国家秘密标志" in page.content.decode()
    assert not ListingRecord.objects.exists()


@pytest.mark.parametrize("model", [Demand, Expert, TechnologyField])
def test_lists_and_editors_open_and_carry_no_inline_script(client, boss, model):
    listing = {Demand: DemandFactory, Expert: ExpertFactory}.get(model, TechnologyField.objects.first)()
    for address in (url(model, "list"), url(model, "edit", listing.pk), url(model, "add")):
        page = client.get(address)
        assert page.status_code == 200, address
        scripts = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", page.content.decode())
        assert all("application/json" in s or "text/" in s for s in scripts), address


def test_the_list_finds_by_number_and_owner(client, boss):
    one, other = DemandFactory(title="查得到的一条需求"), DemandFactory(title="另外的一条需求")
    page = client.get(url(Demand, "list"), {"q": one.number}).content.decode()
    assert "查得到的一条需求" in page
    assert other.title not in page
    assert "查得到的一条需求" in client.get(url(Demand, "list"), {"q": one.record.owner.name}).content.decode()


def test_nothing_that_was_public_is_deleted_or_copied(client, boss):
    demand = DemandFactory(published=True)
    client.post(url(Demand, "delete", demand.pk))
    assert Demand.objects.filter(pk=demand.pk).exists()
    assert not hasattr(Demand.snippet_viewset, "copy_url_name") or not Demand.snippet_viewset.copy_view_enabled
    code = TechnologyField.objects.get(pk="0701")
    client.post(url(TechnologyField, "delete", code.pk))
    assert TechnologyField.objects.filter(pk="0701").exists()


def test_unpublishing_in_wagtail_is_a_withdrawal_with_its_trace(client, boss):
    demand = DemandFactory(published=True)
    client.post(url(Demand, "unpublish", demand.pk))
    record = ListingRecord.objects.get(pk=demand.record.pk)
    assert not Demand.objects.get(pk=demand.pk).live
    assert record.withdrawn_at


def test_the_publish_button_does_not_publish_ones_own(client):
    demand = DemandFactory()
    own = member(demand.record.owner, is_superuser=True)
    client.force_login(own)
    page = client.get(url(Demand, "edit", demand.pk))
    data = form_data(page.context["form"])
    client.post(url(Demand, "edit", demand.pk), {**data, "action-publish": "1"})
    assert not Demand.objects.get(pk=demand.pk).live
    client.force_login(UserFactory(is_superuser=True))
    client.post(url(Demand, "edit", demand.pk), {**data, "action-publish": "1"})
    assert Demand.objects.get(pk=demand.pk).live


def form_data(form) -> dict[str, object]:
    """What the editor would post unchanged."""
    data: dict[str, object] = {}
    for bound in form:
        value = bound.value()
        if value is True:
            data[bound.html_name] = "on"
        elif value not in (None, False):
            data[bound.html_name] = [getattr(v, "pk", v) for v in value] if isinstance(value, list) else value
    for formset in form.formsets.values():
        for bound in formset.management_form:
            data[bound.html_name] = bound.value() or 0
    return data


def test_saving_a_code_marks_it_as_edited(client, boss):
    code = TechnologyField.objects.get(pk="0701")
    data = {"code": "0701", "name": "水污染控制（改）", "name_en": "", "order": code.order, "is_active": "on"}
    client.post(url(TechnologyField, "edit", "0701"), data)
    code.refresh_from_db()
    assert code.name == "水污染控制（改）"
    assert code.is_edited


def test_yes_and_no_are_chinese_in_lists(client, boss):
    page = client.get(url(TechnologyField, "list")).content.decode()
    assert re.search(r"是\s*<", page)
    assert not re.search(r">\s*(True|False)\s*<", page)


def test_scheduled_publishing_is_not_offered(client, boss):
    page = client.get(url(Demand, "edit", DemandFactory().pk)).content.decode()
    assert "go_live_at" not in page
    assert "expire_at" not in page


def test_news_shows_what_an_editor_published(client):
    index = NewsIndexPage.objects.get()
    page = NewsPage(title="关于技术合同登记的通知", slug="t1", kind="notice", intro="说明时间", body="<p>正文</p>")
    index.add_child(instance=page)
    page = client.get("/news/")
    assert page.status_code == 200
    assert "关于技术合同登记的通知" in page.content.decode()
    assert "正文" in client.get("/news/t1/").content.decode()
    assert client.get("/news/?kind=policy").status_code == 200


def test_an_editor_finds_a_page_by_a_part_of_its_chinese_title(client):
    client.force_login(UserFactory(editor=True))
    index = NewsIndexPage.objects.get()
    index.add_child(instance=NewsPage(title="揭榜挂帅项目征集通知", slug="call", body="<p>自即日起征集</p>"))
    address = reverse("wagtailadmin_pages:search")
    found = client.get(address, {"q": "挂帅"})
    assert found.status_code == 200
    assert "揭榜挂帅项目征集通知" in found.content.decode()
    assert "揭榜挂帅项目征集通知" not in client.get(address, {"q": "帅挂"}).content.decode()


def test_moderators_have_no_publish_permission():
    group = Group.objects.get(name="审核员")
    assert not group.permissions.filter(codename__startswith="publish").exists()


def test_history_older_versions_and_previews_open(client, boss):
    demand = DemandFactory(published=True, cooperation_modes=["M5"], title="原来名称的需求")
    draft = demand.get_latest_revision_as_object()
    draft.title = "改过名称的需求"
    publishing.save_draft(draft, by=None)
    first = demand.revisions.order_by("pk").first()
    assert client.get(url(Demand, "history", demand.pk)).status_code == 200
    assert "原来名称的需求" in client.get(url(Demand, "revisions_revert", demand.pk, first.pk)).content.decode()
    page = client.get(url(Demand, "revisions_view", demand.pk, first.pk)).content.decode()
    assert "这是预览" in page
    assert "原来名称的需求" in page
    compare = url(Demand, "revisions_compare", demand.pk, first.pk, "latest")
    assert "改过名称的需求" in client.get(compare).content.decode()


def test_a_moderator_previews_what_was_submitted(client):
    demand = DemandFactory(cooperation_modes=["M5"])
    demand.get_workflow().start(demand, member(demand.record.owner))
    client.force_login(UserFactory(moderator=True))
    task = demand.current_workflow_state.current_task_state.task
    page = client.get(url(Demand, "workflow_preview", demand.pk, task.pk))
    assert page.status_code == 200
    assert demand.title in page.content.decode()
