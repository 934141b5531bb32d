"""Pages of matches, inquiries and deals."""
