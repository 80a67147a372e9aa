"""The hand-off: from deliveries in hand to confirmed tasks, dead letters and acknowledgements."""
