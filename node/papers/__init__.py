"""Papers that leave the house: guides, receipts, notices; as data, as text, as PDF."""
