"""Organisations, their people, the staff of the platform and of the offices, and the accounts one can enter as."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.utils import timezone
from pypinyin import lazy_pinyin

from cms.identifiers import make_credit_code
from cms.models import Region
from marketplace.accounts import services as accounts
from marketplace.accounts.models import Membership, Organization, OrganizationName, User
from marketplace.accounts.models.people import ADMINISTRATOR, EDITOR, MODERATOR
from marketplace.agencies.models import Broker
from marketplace.contracts.models import Office, Officer, OfficeTerritory

from . import clock, paper
from .models import DemoAccount
from .world import World, rows

# role: (title, what it can do, whose account)
ROLES = [
    ("company", "企业：赵立新", "砚山煤化工 · 发布需求、看匹配、申请对接、接受报价", "赵立新"),
    ("university", "院所：巴特尔", "河套能源化工研究院 · 发布成果、答复对接、报价、申请合同登记", "巴特尔"),
    ("college", "高校：苏日娜", "乌兰木伦应用技术学院 · 发布成果、查看办理进度和登记证明", "苏日娜"),
    ("broker", "技术经理人：王晓棠", "桥科技术转移 · 受托撮合，代客户对接和报价", "王晓棠"),
    ("moderator", "审核员：周静宜", "审核发布、核实单位、处理纠错", "周静宜"),
    ("registrar", "登记员初审：周明远", "受理、初审、退回补正、录入专家意见", "周明远"),
    ("registrar2", "登记员复审：何秋实", "复审、认定登记、发证", "何秋实"),
    ("editor", "编辑：秦语桐", "发布通知政策，维护专家和项目", "秦语桐"),
    ("administrator", "管理员：萧逸之", "代码表、登记机构、目标、用户", "萧逸之"),
]
STAFF = [
    ("周静宜", MODERATOR),
    ("丁博远", MODERATOR),
    ("秦语桐", EDITOR),
    ("萧逸之", ADMINISTRATOR),
    ("周明远", ""),
    ("何秋实", ""),
    ("贾云霄", ""),
    ("额日登", ""),
    ("武若兰", ""),
]
BROKERS = [
    ("王晓棠", "b-qiaoke", "senior", "煤化工、水处理"),
    ("包立军", "b-qiaoke", "middle", "矿山装备"),
    ("吕思源", "b-qiaoke", "junior", "新能源、储能"),
    ("阿古达木", "b-qiaoke", "middle", "生态修复、草业"),
    ("钱若水", "b-qiaoke", "junior", "材料"),
    ("侯德昌", "b-zhongji", "senior", "专利许可与价值评估"),
    ("田雨桐", "b-zhongji", "middle", "装备制造"),
    ("萨仁", "b-zhongji", "junior", "农畜产品、蒙医药"),
]


def address_of(name: str) -> str:
    """An address in the reserved domain example.org."""
    return "".join(lazy_pinyin(name)).lower() + "@example.org"


def person(name: str) -> User:
    """A demo person: no usable password, a confirmed address, the texts agreed to."""
    user = User.objects.create_user(address_of(name), None, name=name, phone="0477-0000000", date_joined=timezone.now())
    from allauth.account.models import EmailAddress

    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    accounts.consent(user=user)
    return user


def load(world: World) -> None:
    with clock.at(clock.moment(world.ago(420), 9)):
        _staff(world)
        _organizations(world)
        _brokers(world)
        _offices(world)
    _requests(world)
    for order, (role, title, hint, name) in enumerate(ROLES):
        DemoAccount.objects.create(
            role=role, user=User.objects.get(email=address_of(name)), title=title, hint=hint, order=order
        )


def _staff(world: World) -> None:
    for name, group in STAFF:
        user = world.staff[name] = person(name)
        if group:
            user.groups.add(Group.objects.get(name=group))


def _organizations(world: World) -> None:
    moderator = world.staff["周静宜"]
    for row in rows("organizations"):
        code = make_credit_code(row["region"], row["serial"], department=row["department"], category=row["category"])
        organization = Organization.objects.create(
            name=row["name"],
            short_name=row["short_name"],
            kind=row["kind"],
            region_id=row["region"],
            credit_code=code,
            introduction=row["introduction"],
            is_state_institution=row["is_state_institution"],
            address="演示地址",
            legal_representative=row["people"][0]["name"],
            verified_at=clock.moment(world.ago(world.chance.randint(300, 410))),
            verified_by=moderator,
        )
        OrganizationName.objects.create(organization=organization, name=organization.name)
        world.organizations[row["key"]] = organization
        for one in row["people"]:
            user = person(one["name"])
            Membership.objects.create(user=user, organization=organization, role=one["role"], state="approved")
            world.members.setdefault(row["key"], []).append(user)
        world.heads[row["key"]] = world.members[row["key"]][0]


def _brokers(world: World) -> None:
    for n, (name, agency, level, fields) in enumerate(BROKERS, 1):
        world.brokers[name] = Broker.objects.create(
            user=User.objects.get(email=address_of(name)),
            organization=world.organizations[agency],
            level=level,
            certificate_number=f"演示-JJR-{n:04d}",
            fields=fields,
            valid_until=world.ago(-700),
            introduction=f"从事{fields}方向的技术交易撮合。",
        )


def _offices(world: World) -> None:
    """The office of the demo's city, and one more for sellers of the neighbouring capital."""
    rules: list[tuple[str, str, str, str, list[tuple[str, bool, bool]]]] = [
        (
            "鄂尔多斯市技术合同认定登记处（演示）",
            "150600",
            "01",
            "1506",
            [("周明远", True, False), ("何秋实", False, True), ("贾云霄", True, True)],
        ),
        (
            "呼和浩特市技术合同认定登记处（演示）",
            "150100",
            "01",
            "1501",
            [("额日登", True, False), ("武若兰", False, True)],
        ),
    ]
    for name, region, point, prefix, officers in rules:
        office = Office.objects.create(
            name=name,
            authority="科学技术主管部门（演示）",
            region_id=region,
            point=point,
            phone="0477-0000000",
            address="演示地址",
        )
        OfficeTerritory.objects.create(office=office, prefix=prefix)
        for person_name, first, second in officers:
            Officer.objects.create(
                user=world.staff[person_name], office=office, first_review=first, second_review=second
            )


def _requests(world: World) -> None:
    """What waits for a head and for staff: somebody asks to join, a young firm asks to be verified."""
    with clock.at(clock.moment(world.ago(3), 10, 12)):
        accounts.ask_to_join(
            by=person("伊拉图"),
            organization=world.organizations["c-yanshan"],
            message="新入职工艺室，负责水处理数据。",
        )
    with clock.at(clock.moment(world.ago(2), 14, 35)):
        founder, region = person("鲁宜春"), Region.objects.get(code="150602")
        firm = accounts.found_organization(
            by=founder, name="鄂尔多斯市砾原检测技术有限公司", kind="company", region=region, short_name="砾原检测"
        )
        accounts.request_verification(
            firm,
            by=founder,
            credit_code=make_credit_code("150602", "MA7L1Y0N"),
            legal_representative="鲁宜春",
            region=region,
            kind="company",
            evidence=paper.note_pdf("营业执照", "鄂尔多斯市砾原检测技术有限公司，法定代表人鲁宜春。", "营业执照.pdf"),
        )
    world.organizations["c-liyuan"] = firm
