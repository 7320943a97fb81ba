"""The lobby: the first page of the demonstration, from which games are launched."""
