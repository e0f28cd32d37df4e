"""What past bills say of future ones: kept in a store, learned from, and never relied on."""
