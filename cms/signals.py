"""The one signal of cms: sent inside the transaction in which a listing's public face or its conditions changed."""

from django.dispatch import Signal

# Arguments: record (cms.ListingRecord), what ("published", "unpublished", "availability", "access", "deleted").
listing_changed = Signal()
