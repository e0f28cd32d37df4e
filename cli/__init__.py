"""The command line.

A file named like a command is that command: `run.py`, `plan.py`, `show.py` and so on. `main.py`
puts them together. The other files are what commands share, and `view/` is what the screen shows.
"""
