"""Leaderboard: submissions, the board and its page. Nothing is here yet."""
