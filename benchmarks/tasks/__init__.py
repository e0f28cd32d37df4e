"""Tasks as people pay for: what they ask, what they hand over, the tools, and what is right.

`first/` was written before the code was frozen. Tasks that are written after it get a folder of
their own beside it, such as `held_out/`, in the same form. `load_tasks("held_out")` reads them.
"""
