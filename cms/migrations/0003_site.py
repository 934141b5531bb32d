"""The page tree: Wagtail's welcome page goes, our root and /news/ come."""

from django.db import migrations


def build(apps, schema_editor):
    ContentType = apps.get_model("contenttypes", "ContentType")
    Page = apps.get_model("wagtailcore", "Page")
    Site = apps.get_model("wagtailcore", "Site")
    Locale = apps.get_model("wagtailcore", "Locale")
    locale, _ = Locale.objects.get_or_create(language_code="zh-hans")
    Site.objects.all().delete()
    Page.objects.filter(depth=2).delete()

    def add(model, parent_path, step, depth, title, slug, url):
        content_type, _ = ContentType.objects.get_or_create(app_label="cms", model=model._meta.model_name)
        return model.objects.create(
            title=title,
            draft_title=title,
            slug=slug,
            content_type=content_type,
            path=parent_path + step,
            depth=depth,
            numchild=0,
            url_path=url,
            locale=locale,
            live=True,
        )

    root = Page.objects.get(depth=1)
    home = add(apps.get_model("cms", "RootPage"), root.path, "0001", 2, "首页", "home", "/home/")
    add(apps.get_model("cms", "NewsIndexPage"), home.path, "0001", 3, "政策与通知", "news", "/home/news/")
    Page.objects.filter(pk=root.pk).update(numchild=1)
    Page.objects.filter(pk=home.pk).update(numchild=1)
    Site.objects.create(
        hostname="localhost", port=80, root_page_id=home.pk, is_default_site=True, site_name="鄂尔多斯科技大市场"
    )


class Migration(migrations.Migration):
    dependencies = [("cms", "0002_codes"), ("wagtailcore", "0097_baselogentry_uuid_action_timestamp_indexes")]
    operations = [migrations.RunPython(build, migrations.RunPython.noop)]
