"""What is published: listings with Wagtail's drafts, revisions and moderation; editorial pages; code lists.

Others may import: `cms.models`, `cms.publishing` (publish, withdraw, set availability: the only doors), `cms.taxonomy`,
`cms.identifiers` (patent number, credit code), `cms.numbers` (addresses of records), `cms.signals.listing_changed`.
cms knows nobody above it: organisations and users are string keys.
"""
