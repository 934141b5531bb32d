from wagtail import hooks


@hooks.register("register_log_actions")
def register_log_actions(actions):
    actions.register_action("job.cancel", "取消任务", "取消任务")
