"""The demonstration: a lobby to play in, a game, and a clock that can be moved. Only where DEMO is on."""
