"""One metered call: where it is booked, what it reserves, how it is sent and settled."""
