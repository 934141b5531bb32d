"""Editorial pages: notices, policies, data releases. Listings are not pages."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from wagtail.admin.panels import FieldPanel
from wagtail.fields import RichTextField
from wagtail.models import Page


class RootPage(Page):
    """The tree's root of the site; the home page itself is composed by `library`."""

    max_count = 1
    subpage_types = ["cms.NewsIndexPage"]

    class Meta:
        verbose_name = "站点"


class NewsIndexPage(Page):
    """/news/: what was announced, newest first."""

    max_count = 1
    parent_page_types = ["cms.RootPage"]
    subpage_types = ["cms.NewsPage"]
    template = "cms/news_index.html"

    class Meta:
        verbose_name = "政策与通知"

    def get_context(self, request, *args, **kwargs):  # type: ignore[no-untyped-def]
        from django.core.paginator import Paginator

        context = super().get_context(request, *args, **kwargs)
        news = NewsPage.objects.live().public().child_of(self).order_by("-published_on", "-pk")
        kind = request.GET.get("kind", "")
        if kind in dict(NewsPage.KINDS):
            news = news.filter(kind=kind)
        context.update(page_obj=Paginator(news, 20).get_page(request.GET.get("page")), kinds=NewsPage.KINDS, kind=kind)
        return context


class NewsPage(Page):
    """One announcement with its day and source."""

    KINDS = [("notice", "通知"), ("policy", "政策"), ("data", "数据"), ("publicity", "公示")]

    kind = models.CharField("类别", max_length=12, choices=KINDS, default="notice")
    published_on = models.DateField("发布日期", default=timezone.localdate)
    origin = models.CharField("来源", max_length=120, blank=True)
    intro = models.CharField("摘要", max_length=300, blank=True)
    body = RichTextField("正文", features=["h2", "h3", "bold", "ol", "ul", "link", "document-link", "hr"])

    parent_page_types = ["cms.NewsIndexPage"]
    subpage_types: list[str] = []
    template = "cms/news_page.html"
    content_panels = [
        *Page.content_panels,
        FieldPanel("kind"),
        FieldPanel("published_on"),
        FieldPanel("origin"),
        FieldPanel("intro"),
        FieldPanel("body"),
    ]

    class Meta:
        verbose_name = "政策与通知文章"
