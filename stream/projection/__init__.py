"""What the output topics add up to, kept for looking at. Pure: no Kafka, no store, no clock."""
