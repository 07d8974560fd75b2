"""Reports that people read: sentences, machine-readable summaries, and a page with pictures."""
