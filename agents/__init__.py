"""Everything that touches Kafka or people. No arithmetic here: that is the job of `stream`."""
