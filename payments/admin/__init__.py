"""What operators see and do about payments."""
