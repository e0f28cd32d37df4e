"""Policies of spending, from a static plan to all of thrifty, where bills stray from estimates."""
