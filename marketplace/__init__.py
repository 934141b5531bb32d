"""Who does what with what is published: the marketplace itself. The map of its apps is in README.md."""
