"""What the district's writers need: workbooks and texts of items and forms.

Needs the extra `author` (openpyxl, pyxform), imported only when something is read or
written; villages and towns never load it.
"""
