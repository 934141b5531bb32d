"""base runs on one machine with nothing set, production refuses to start when something is missing, test is fast."""
