"""Measurements against a plain baseline in the same run; see DESIGN.md section 10."""
