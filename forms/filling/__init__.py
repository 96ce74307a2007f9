"""Forms being filled in: what is asked, what is offered, what is wrong. Pure."""

from forms.filling.checks import Problem, Validity
from forms.filling.filling import Filling
from forms.filling.plan import Plan
from forms.filling.prepare import prepare
from forms.filling.rows import Row

__all__ = ["Filling", "Plan", "Problem", "Row", "Validity", "prepare"]
