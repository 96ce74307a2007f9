"""What may be written: items, forms, checks. Knows no network, no storage."""
