"""The pages of this package, one module a kind of page; names are those of `urls`."""
