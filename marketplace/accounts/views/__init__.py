"""Pages of the account, of one's organisations, and of staff who verify."""
