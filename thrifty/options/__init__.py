"""Where the options of a run come from, and which of them can be had."""
