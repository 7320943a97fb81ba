"""How dates look where Django writes them itself."""
