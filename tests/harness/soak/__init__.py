"""Many processes on one account, killed and replaced, while an observer adds up the ledger."""
