"""What operators ask: each question has its answer as a value here, and a command in ``cli``."""
