"""One line sets the scene: factories with a trait for each state. Invented names only, valid codes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import factory
from django.utils import timezone

from cms.identifiers import make_credit_code
from cms.models import Achievement, Demand, Expert, Kpi, ListingRecord, PatentItem, Project, Target
from marketplace.accounts.models import Membership, Organization, OrganizationName, User
from marketplace.agencies.models import Broker, Mandate
from marketplace.contracts.models import Office, Officer, OfficeTerritory


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    class Params:
        moderator = factory.Trait(role="审核员")
        editor = factory.Trait(role="编辑")
        administrator = factory.Trait(role="管理员")

    name = factory.Sequence(lambda n: f"测试员{n}")
    email = factory.Sequence(lambda n: f"user{n}@example.org")
    password = factory.django.Password("correct-horse-battery")
    role = ""

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        # Not a post-generation hook: a trait cannot set what such a hook is given.
        role = kwargs.pop("role")
        user = super()._create(model_class, *args, **kwargs)
        if role:
            from django.contrib.auth.models import Group

            user.groups.add(Group.objects.get(name=role))
        return user


class OrganizationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Organization
        skip_postgeneration_save = True

    class Params:
        unverified = factory.Trait(verified_at=None)
        university = factory.Trait(kind="university", is_state_institution=True)
        outside = factory.Trait(region_id="610100")

    name = factory.Sequence(lambda n: f"塔林测试{n}有限公司")
    region_id = "150602"
    credit_code = factory.LazyAttributeSequence(lambda o, n: make_credit_code(o.region_id, f"MA0{n:05d}"))
    verified_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def current_name(self, create, extracted, **kwargs):
        OrganizationName.objects.create(organization=self, name=self.name)

    @factory.post_generation
    def head(self, create, extracted, **kwargs):
        """`head=user` makes him its head."""
        if extracted:
            MembershipFactory(user=extracted, organization=self, role="head")


class MembershipFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    organization = factory.SubFactory(OrganizationFactory)
    role = "member"
    state = "approved"

    class Params:
        requested = factory.Trait(state="requested")


def member(organization: Organization, role: str = "head", **kwargs) -> User:
    """A new person who may act for the organisation."""
    user = UserFactory(**kwargs)
    MembershipFactory(user=user, organization=organization, role=role)
    return User.objects.get(pk=user.pk)


class RecordFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ListingRecord

    kind = "achievement"
    owner = factory.SubFactory(OrganizationFactory)
    valid_until = factory.LazyFunction(lambda: timezone.localdate() + dt.timedelta(days=365))


class ListingFactory(factory.django.DjangoModelFactory):
    """A draft unless `published=True`; published ones went through Wagtail's publish with a revision."""

    class Meta:
        abstract = True
        skip_postgeneration_save = True

    class Params:
        restricted_l1 = factory.Trait(disclosure_level="L1")
        restricted_l2 = factory.Trait(disclosure_level="L2")
        matchmaker_only = factory.Trait(disclosure_level="L3")

    title = factory.Sequence(lambda n: f"高盐废水除氟试验装置{n}号")
    summary = "用改性铝基填料把氟离子从 12 mg/L 降到 0.8 mg/L，填料可再生 18 次，已在侧线连续运行 90 天。"
    body = "进水含盐量 35 g/L，水温 30 ℃。\n\n两级串联运行，出水稳定在 1 mg/L 以下。"
    technology_field_id = "0701"
    region_id = "150602"
    contact_name = "联系人甲"
    contact_phone = "0477-0000000"

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        owner = kwargs.pop("owner", None) or OrganizationFactory()
        publish = kwargs.pop("published", False)
        record_fields = {k[8:]: kwargs.pop(k) for k in list(kwargs) if k.startswith("record__")}
        children = {k: kwargs.pop(k) for k in ("kpis", "targets", "patents") if k in kwargs}
        many = {
            k: kwargs.pop(k)
            for k in ("industries", "key_technologies", "transfer_modes", "cooperation_modes")
            if k in kwargs
        }
        record = RecordFactory(kind=model_class.KIND, owner=owner, **record_fields)
        listing = model_class(record=record, live=False, **kwargs)
        for name, rows in children.items():
            setattr(listing, name, rows)
        listing.save()
        for name, codes in many.items():
            # Codes are set once the row has a key: modelcluster asks the database what stands there.
            field = model_class._meta.get_field(name)
            getattr(listing, name).set(field.related_model.objects.filter(code__in=codes))
        listing.save()
        revision = listing.save_revision()
        if publish:
            listing.publish(revision)
            listing = model_class.objects.get(pk=listing.pk)
        return listing


class AchievementFactory(ListingFactory):
    class Meta:
        model = Achievement

    achievement_type_id = "A01"
    trl = 6
    price_type = "fixed"
    price_min = Decimal("1200000.00")
    price_max = Decimal("1200000.00")
    inventors = "测试甲、测试乙"


class DemandFactory(ListingFactory):
    class Meta:
        model = Demand

    title = factory.Sequence(lambda n: f"煤化工高盐废水深度除氟需求{n}")
    problem = "膜浓缩后氟离子富集到 12 mg/L，带入结晶单元后腐蚀换热管，要求降到 1 mg/L 以下。"
    demand_type_id = "RD"
    budget_min = Decimal("1500000.00")
    budget_max = Decimal("2000000.00")
    deadline = factory.LazyFunction(lambda: timezone.localdate() + dt.timedelta(days=120))

    class Params:
        anonymous = factory.Trait(is_anonymous=True)


class ExpertFactory(ListingFactory):
    class Meta:
        model = Expert

    title = factory.Sequence(lambda n: f"专家{n}")
    position = "研究员"


class ProjectFactory(ListingFactory):
    class Meta:
        model = Project

    title = factory.Sequence(lambda n: f"重大项目{n}")
    stage = "recruiting"


def kpi(name="出水氟离子", operator="le", value="0.8", unit="mg/L", **kwargs) -> Kpi:
    return Kpi(name=name, operator=operator, value=Decimal(value), unit=unit, **kwargs)


def target(name="出水氟离子", operator="le", value="1.0", unit="mg/L", **kwargs) -> Target:
    return Target(name=name, operator=operator, value=Decimal(value), unit=unit, **kwargs)


def patent(number="201710601862.3", **kwargs) -> PatentItem:
    return PatentItem(number=number, **kwargs)


class BrokerFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Broker

    user = factory.SubFactory(UserFactory)
    organization = factory.SubFactory(OrganizationFactory, kind="agency")
    certificate_number = factory.Sequence(lambda n: f"TEST-{n:04d}")


class MandateFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Mandate

    broker = factory.SubFactory(BrokerFactory)
    client = factory.SubFactory(OrganizationFactory)
    given_by = factory.SubFactory(UserFactory)
    starts_on = factory.LazyFunction(timezone.localdate)
    ends_on = factory.LazyFunction(lambda: timezone.localdate() + dt.timedelta(days=180))
    accepted_at = factory.LazyFunction(timezone.now)

    class Params:
        ended = factory.Trait(
            starts_on=factory.LazyFunction(lambda: timezone.localdate() - dt.timedelta(days=60)),
            ends_on=factory.LazyFunction(lambda: timezone.localdate() - dt.timedelta(days=1)),
        )
        offered = factory.Trait(accepted_at=None)


class OfficeFactory(factory.django.DjangoModelFactory):
    """An office for all of Ordos, unless `territory` says otherwise."""

    class Meta:
        model = Office
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"测试技术合同登记处{n}")
    region_id = "150600"
    point = factory.Sequence(lambda n: f"{n % 99 + 1:02d}")

    @factory.post_generation
    def territory(self, create, extracted, **kwargs):
        OfficeTerritory.objects.create(office=self, prefix=extracted or "1506")


class OfficerFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Officer

    user = factory.SubFactory(UserFactory)
    office = factory.SubFactory(OfficeFactory)
    first_review = True
    second_review = False

    class Params:
        second = factory.Trait(first_review=False, second_review=True)
