"""The platform's roles as groups, and the one workflow of listings: made after migrate where they are missing."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType

from .models.people import ADMINISTRATOR, EDITOR, MODERATOR

CODE_MODELS = {
    "cms": ["technologyfield", "industry", "keytechnology", "region", "achievementtype", "transfermode", "demandtype"],
    "contracts": [
        "contracttype",
        "paymentmethod",
        "iptype",
        "partynature",
        "plansource",
        "socialobjective",
        "refusalreason",
        "ruleset",
        "office",
        "officeterritory",
        "officer",
    ],
    "indicators": ["targetset", "publishedfigure"],
    "agencies": ["broker"],
    "accounts": ["organization", "consenttext", "user"],
}


def ensure(using: str = "default", **kwargs: Any) -> None:
    """Receiver of post_migrate: groups with their permissions, the workflow for the four kinds. Runs twice harmlessly,
    and leaves a group alone once it exists: its permissions are then the operator's."""
    for label in ("cms", "contracts", "indicators", "agencies", "accounts", "operations", "wagtailadmin"):
        create_permissions(apps.get_app_config(label), verbosity=0, using=using)
    for name in (MODERATOR, EDITOR, ADMINISTRATOR):
        group, made = Group.objects.get_or_create(name=name)
        if made:
            group.permissions.set(_permissions(name))
            if name in (EDITOR, ADMINISTRATOR):
                _give_pages(group)
    _ensure_workflow()


def _permissions(name: str) -> list[Permission]:
    wanted = [("wagtailadmin", "access_admin")]
    if name in (EDITOR, ADMINISTRATOR):
        for model in ("expert", "project"):
            wanted += [("cms", f"{act}_{model}") for act in ("add", "change")]
    if name == ADMINISTRATOR:
        for label, models in CODE_MODELS.items():
            wanted += [(label, f"{act}_{model}") for model in models for act in ("add", "change", "view")]
    found = []
    for label, codename in wanted:
        found.extend(Permission.objects.filter(content_type__app_label=label, codename=codename))
    return found


def _give_pages(group: Group) -> None:
    from wagtail.models import GroupPagePermission

    from cms.models import NewsIndexPage

    index = NewsIndexPage.objects.first()
    if index is None:
        return
    for codename in ("add_page", "change_page", "publish_page"):
        permission = Permission.objects.get(content_type__app_label="wagtailcore", codename=codename)
        GroupPagePermission.objects.get_or_create(group=group, page=index, permission=permission)


def _ensure_workflow() -> None:
    from wagtail.models import Workflow, WorkflowContentType, WorkflowTask

    from cms.models import ModerationTask, listing_model

    # Wagtail's own sample workflow approves without our rule.
    Workflow.objects.filter(name="Moderators approval").update(active=False)
    task, made = ModerationTask.objects.get_or_create(name="发布审核")
    if made:
        task.groups.set(Group.objects.filter(name__in=[MODERATOR, ADMINISTRATOR]))
    workflow, _made = Workflow.objects.get_or_create(name="条目发布审核")
    WorkflowTask.objects.get_or_create(workflow=workflow, task=task, defaults={"sort_order": 0})
    for kind in ("achievement", "demand", "expert", "project"):
        WorkflowContentType.objects.get_or_create(
            content_type=ContentType.objects.get_for_model(listing_model(kind)), defaults={"workflow": workflow}
        )
