"""Widgets that are right for Chinese text and long lists."""
