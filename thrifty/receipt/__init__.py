"""The end report: planned against actual, every decision and its reason, which limit bound."""
