"""The service point: cases, rules, storage, use cases."""
