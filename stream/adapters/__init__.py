"""The adapters behind the store's port. Only the agents choose one; nothing else imports them."""
