"""What happened, told to others in an order that skips nothing."""
