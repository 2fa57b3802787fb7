"""When the host does what nobody asks for: schedules, runs, and what becomes of them."""
