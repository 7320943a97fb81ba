"""The first page of the admin: whether money is right, what waits for a person, and how the platform does."""
