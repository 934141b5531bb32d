"""The first version of what people agree to. An operator adds versions, nobody edits one in place."""

# ruff: noqa: E501
from django.db import migrations

TERMS = """本站由科技主管部门指定的机构运行，供高等院校、科研机构、企业、技术经理人和登记机构发布科技成果与技术需求、对接洽谈、办理技术合同认定登记。

您在本站以本人身份登录，并代表已批准您加入的单位办理。您应保证所填内容真实、有权公开，不含国家秘密；标有密级的内容请勿以任何形式录入。

发布的内容经审核后公开。您可以随时修改、撤回；已登记的技术合同按国家和自治区的规定保存，不因账户关闭而删除。"""
PRIVACY = """我们处理您的姓名、邮箱、电话，用于注册、登录、通知和对接联系，依据是您的同意和履行服务所必需。

联系方式只向登录用户展示；对接申请会写明将提供给对方哪些信息，由您提交后才提供。自然人作为合同当事人时，证件号只保留加密摘要和后四位。

操作记录保存不少于六个月。您可以在账户页查阅、更正、撤回同意；撤回不影响此前已完成的办理。"""


def load(apps, schema_editor):
    model = apps.get_model("accounts", "ConsentText")
    for kind, title, body in (("terms", "服务协议", TERMS), ("privacy", "个人信息处理告知", PRIVACY)):
        model.objects.get_or_create(
            kind=kind, version="2026-01", defaults={"title": title, "body": body, "effective_on": "2026-01-01"}
        )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_initial")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
