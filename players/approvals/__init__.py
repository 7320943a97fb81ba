"""Acts that need a second person: what they are, how they are requested, decided and executed."""
