"""What partners run on their own machines; nothing of the platform is imported here."""
