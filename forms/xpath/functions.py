"""All functions that expressions may call, by name. Pure: no I/O.

XPath 1.0 section 4 and the ODK XForms specification, section "XPath functions".
Where OpenRosa gives a function of XPath another meaning (`round`, `concat`, `number`,
`position`), the row is ours: libxml2's own functions cannot be replaced, so the
compiler calls ours by another name.
"""

from forms.xpath import (
    functions_node,
    functions_number,
    functions_office,
    functions_text,
)
from forms.xpath.function import Function

FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        *functions_text.ROWS,
        *functions_number.ROWS,
        *functions_node.ROWS,
        *functions_office.ROWS,
    )
}
