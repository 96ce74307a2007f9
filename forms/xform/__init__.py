"""XForms (as ODK, KoboToolbox and Enketo share them) read into typed data."""

from forms.xform.definition import Definition, Element, decode, encode
from forms.xform.lists import from_csv, from_geojson, from_xml
from forms.xform.read import read_form

__all__ = ["Definition", "Element", "decode", "encode", "from_csv", "from_geojson"]
__all__ += ["from_xml", "read_form"]
