"""XForms (as ODK, KoboToolbox and Enketo share them) read into typed data."""

from forms.xform.definition import Definition, decode, encode
from forms.xform.read import read_form

__all__ = ["Definition", "decode", "encode", "read_form"]
