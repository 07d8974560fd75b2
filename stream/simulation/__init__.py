"""Two policies over one history: who ends where, and how steadily. Pure: no files, no clock."""
