"""The end of what a game left unfinished (contract 2.4).

What is due, what the game is asked, and what follows from its answer.
"""
