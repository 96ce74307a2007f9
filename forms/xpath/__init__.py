"""Expressions of forms: XPath 1.0 with the functions of OpenRosa. Pure: no I/O.

    older = compile_expression(". > 18 and /data/sex = 'f'")
    older.evaluate_boolean(node, Setting(now=now, root=data))

libxml2 (through lxml) does XPath; a text is cut into tokens and parsed here first,
which finds what is wrong and where, tells which nodes the value depends on, and writes
it anew where OpenRosa differs: dates count as days, `round` takes decimals, absolute
paths begin at the primary instance, `instance('x')` at another one.

Nothing of this opens a file, resolves an entity or knows the time.
"""

from forms.xpath.errors import ExpressionFailed, ExpressionRefused
from forms.xpath.expression import Expression, compile_expression
from forms.xpath.references import Move, Origin, Reference
from forms.xpath.setting import Setting
from forms.xpath.values import Node, Value, to_boolean, to_number, to_string

__all__ = ["Expression", "ExpressionFailed", "ExpressionRefused", "Move", "Node"]
__all__ += ["Origin", "Reference", "Setting", "Value", "compile_expression"]
__all__ += ["to_boolean", "to_number", "to_string"]
