"""The one workflow task of listings: a moderator looks; nobody approves what he or his organisation wrote."""

from __future__ import annotations

from typing import Any

from django import forms
from wagtail.forms import TaskStateCommentForm
from wagtail.models import AbstractGroupApprovalTask

from .record import user_organization_ids


def is_own(listing: Any, user: Any) -> bool:
    """True where the listing was made or submitted by this person, or belongs to an organisation he acts for."""
    record = listing.record
    state = listing.current_workflow_state
    return (
        record.created_by_id == user.pk
        or (state is not None and state.requested_by_id == user.pk)
        or record.owner_id in user_organization_ids(user)
    )


class ReasonForm(TaskStateCommentForm):
    """Sending back without saying why helps nobody."""

    comment = forms.CharField(
        label="退回原因和修改意见（提交人会看到）",
        min_length=5,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": "请写明退回的原因和怎样修改。", "min_length": "请至少写 5 个字。"},
    )


class ModerationTask(AbstractGroupApprovalTask):
    """Group approval, but for one's own. Wagtail's action address does not tie a task state to its object: without the
    check in `on_action` another object's address approves one's own."""

    class Meta:
        verbose_name = verbose_name_plural = "发布审核"

    def get_actions(self, obj: Any, user: Any) -> list[tuple[str, str, bool]]:
        return [] if is_own(obj, user) else super().get_actions(obj, user)

    def get_form_for_action(self, action: str) -> type[forms.Form]:
        return ReasonForm if action == "reject" else super().get_form_for_action(action)

    def get_task_states_user_can_moderate(self, user: Any, **kwargs: Any) -> Any:
        states = super().get_task_states_user_can_moderate(user, **kwargs)
        own = [s.pk for s in states.select_related("revision") if is_own(s.workflow_state.content_object, user)]
        return states.exclude(pk__in=own)

    def on_action(self, task_state: Any, user: Any, action_name: str, **kwargs: Any) -> Any:
        if action_name in ("approve", "reject") and is_own(task_state.workflow_state.content_object, user):
            from django.core.exceptions import PermissionDenied

            raise PermissionDenied("不能审核本人或本单位提交的内容。")
        return super().on_action(task_state, user, action_name, **kwargs)
