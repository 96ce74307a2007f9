"""A tree written as XPath for libxml2, where OpenRosa and libxml2 differ. Pure: no I/O.

What libxml2 does as OpenRosa wants it stays as it is; the rest becomes calls of our
functions, whose names have a prefix of their own. Since the types of most parts are
known before, only what may be a date goes through Python.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isnan

from forms.xpath.dates import INVALID
from forms.xpath.errors import ExpressionRefused
from forms.xpath.function import MAX_ARGUMENTS, Function, Type
from forms.xpath.functions import FUNCTIONS
from forms.xpath.pattern import PatternRefused
from forms.xpath.references import IMPLICIT
from forms.xpath.regex import machine
from forms.xpath.seat import Seat
from forms.xpath.tree import (
    Call,
    Filter,
    Infix,
    Literal,
    Negation,
    Number,
    Part,
    Path,
    Step,
    Union,
)
from forms.xpath.values import to_number
from forms.xpath.written import Written, guarded, joined, may_be_date, needs_dates

OURS = "urn:lianban:forms:xpath"
"""The namespace of our functions."""

COMPARISONS = {
    "=": "equal",
    "!=": "unequal",
    "<": "less",
    "<=": "at-most",
    ">": "more",
    ">=": "at-least",
}

_CONTEXT = Path(False, None, (Step("self", "node()", (), 0),))
_COUNTED = frozenset([Type.NUMBER, Type.BOOLEAN])
_SPELLED = frozenset([Type.STRING, Type.NODES])


@dataclass(slots=True)
class Emitted:
    """What libxml2 needs for an expression."""

    type: Type = Type.ANY
    text: str = ""
    functions: set[str] = field(default_factory=set)
    uris: dict[str, str] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)
    needs_root: bool = False
    needs_current: bool = False


def emit(part: Part, source: str, namespaces: Mapping[str, str], seat: Seat) -> Emitted:
    """Return the XPath of a part.

    Args:
        part: of the expression `source`, which errors name.
        source: the whole expression.
        namespaces: prefix to URI; the prefix "" is for element names without one.
        seat: from where it is evaluated.

    Raises:
        ExpressionRefused: an unknown function or prefix, or arguments that do not fit.
    """
    emitter = _Emitter(source, namespaces, seat)
    written = emitter.part(part)
    emitter.out.text, emitter.out.type = written.text, written.type
    return emitter.out


def constant(part: Part) -> bool | None:
    """Return the truth of a part that is always the same; None: it may change."""
    match part:
        case Number(text):
            return float(text) != 0
        case Literal(value):
            return value != ""
        case Call("true", ()):
            return True
        case Call("false", ()):
            return False
        case Call("not", (operand,)):
            truth = constant(operand)
            return None if truth is None else not truth
        case Infix(operands, ("and" | "or" as operator, *_)):
            decisive = operator == "or"
            for operand in operands:
                truth = constant(operand)
                if truth is None or truth == decisive:
                    return truth
            return not decisive
    return None


class _Emitter:
    def __init__(self, source: str, namespaces: Mapping[str, str], seat: Seat) -> None:
        self.source, self.namespaces, self.seat = source, namespaces, seat
        self.out = Emitted()
        self.inside = 0  # how many predicates are around

    def part(self, part: Part) -> Written:
        match part:
            case Number(text):
                return Written(text, Type.NUMBER, is_number=True)
            case Literal(value):
                quote = '"' if "'" in value else "'"
                return Written(f"{quote}{value}{quote}", Type.STRING, value)
            case Negation(operand):
                inner = self.part(operand)
                text = f"(-{self._as_number(inner)})"
                return Written(text, Type.NUMBER, is_number=inner.is_number)
            case Union(operands):
                texts = [self._nodes(operand) for operand in operands]
                return Written(f"({' | '.join(texts)})", Type.NODES)
            case Filter(base, predicates):
                text = self._nodes(base) + self._predicates(predicates)
                return Written(text, Type.NODES)
            case Path():
                plain = part.base is None and not any(s.predicates for s in part.steps)
                return Written(self._path(part), Type.NODES, is_plain=plain)
            case Infix(operands, operators):
                return self._infix(operands, operators)
            case Call():
                return self._call(part)

    # Operators

    def _infix(self, operands: tuple[Part, ...], operators: tuple[str, ...]) -> Written:
        if operators[0] in {"and", "or"}:
            return self._junction(operands, operators[0])
        if operators[0] in COMPARISONS:
            written = self.part(operands[0])
            for operator, operand in zip(operators, operands[1:], strict=True):
                written = self._comparison(written, operator, self.part(operand))
            return written
        text = self._as_number(self.part(operands[0]))
        for operator, operand in zip(operators, operands[1:], strict=True):
            text += f" {operator} {self._as_number(self.part(operand))}"
        return Written(f"({text})", Type.NUMBER)

    def _junction(self, operands: tuple[Part, ...], operator: str) -> Written:
        """Join by and / or; what can never be reached is not even judged."""
        texts = []
        for operand in operands:
            truth = constant(operand)
            texts.append(self._as_boolean(self.part(operand)))
            if truth is (operator == "or"):
                break
        if len(texts) == 1:
            return Written(f"boolean({texts[0]})", Type.BOOLEAN)
        return Written(f"({f' {operator} '.join(texts)})", Type.BOOLEAN)

    def _comparison(self, left: Written, operator: str, right: Written) -> Written:
        left, right = self._day_counted(left), self._day_counted(right)
        types = {left.type, right.type}
        if Type.ANY in types or needs_dates(left, operator, right):
            name = self._ours(COMPARISONS[operator])
            text = f"{name}({left.text}, {right.text})"
            return Written(guarded(text, left, operator, right), Type.BOOLEAN)
        alike = operator in {"=", "!="} and (types <= _SPELLED or Type.BOOLEAN in types)
        if alike or Type.NODES in types:
            texts = left.text, right.text
        else:
            texts = self._as_number(left), self._as_number(right)
        return Written(f"({texts[0]} {operator} {texts[1]})", Type.BOOLEAN)

    def _day_counted(self, written: Written) -> Written:
        if written.type is not Type.DATE:
            return written
        return Written(self._as_number(written), Type.NUMBER)

    # Types

    def _as_number(self, written: Written) -> str:
        if written.type in _COUNTED:
            return written.text
        if written.literal is not None and not may_be_date(written.literal):
            number = to_number(written.literal)
            return "(0 div 0)" if isnan(number) else f"number({written.text})"
        return f"{self._ours('number')}({written.text})"

    def _as_string(self, written: Written) -> str:
        if written.type in {Type.NUMBER, Type.ANY}:
            return f"{self._ours('string')}({written.text})"
        return written.text

    def _as_boolean(self, written: Written) -> str:
        if written.type is Type.DATE:
            return f"({written.text} != '' and {written.text} != '{INVALID}')"
        return written.text

    def _as_is(self, written: Written) -> str:
        return written.text

    # Paths

    def _path(self, path: Path) -> str:
        steps = "/".join(self._step(step) for step in path.steps)
        if path.base is not None:
            return f"{self._nodes(path.base)}/{steps}"
        if path.absolute:
            return f"{self._root()}/{steps}" if steps else self._root() or "/"
        if self.inside or not self.seat.way:
            return steps
        return f"{self.seat.way}{'' if self.seat.way == '/' else '/'}{steps}"

    def _root(self) -> str:
        if not self.seat.below_parent:
            return ""
        self.out.needs_root = True
        return "$root"

    def _step(self, step: Step) -> str:
        if step.axis == "namespace":
            raise self._refused(step.position, "不支持 namespace 轴")
        test = self._test(step)
        return f"{step.axis}::{test}{self._predicates(step.predicates)}"

    def _test(self, step: Step) -> str:
        if step.test == "*" or step.test.endswith(")"):
            return step.test
        prefix, colon, name = step.test.rpartition(":")
        if not colon and step.axis == "attribute":
            return name
        uri = self.namespaces.get(prefix)
        if uri is None and colon:
            raise self._refused(step.position, f"前缀 {prefix[:40]!r} 没有声明")
        if not uri:
            return name
        return f"{self.out.uris.setdefault(uri, f'n{len(self.out.uris)}')}:{name}"

    def _predicates(self, predicates: tuple[Part, ...]) -> str:
        self.inside += 1
        text = ""
        for predicate in predicates:
            written = self.part(predicate)
            text += f"[{self._as_boolean(written)}]"
        self.inside -= 1
        return text

    def _nodes(self, part: Part) -> str:
        written = self.part(part)
        if written.type not in {Type.NODES, Type.ANY}:
            position = part.position if isinstance(part, Call) else 0
            raise self._refused(position, "这里应是路径，不能是文字、数字或真假")
        return f"({written.text})" if isinstance(part, Path) else written.text

    def _current(self) -> str:
        if not self.seat.moved and not self.inside:
            return self.seat.way or "."
        self.out.needs_current = True
        if self.seat.moved or not self.seat.way:
            return "$current"
        return "/" if self.seat.way == "/" else f"$current/{self.seat.way}"

    # Calls

    def _call(self, call: Call) -> Written:
        function = FUNCTIONS.get(call.name)
        if function is None:
            reason = f"没有函数 {call.name[:40]!r}{_near(call.name)}"
            raise self._refused(call.position, reason)
        self._count(call, function)
        if special := _SPECIAL.get(call.name):
            return special(self, call)
        arguments = call.arguments
        if not arguments and call.name in IMPLICIT:
            arguments = (_CONTEXT,)
        if call.name == "if":
            truth = constant(arguments[0])
            if truth is not None:
                # The other branch can never be reached, and is not judged.
                return self.part(arguments[1] if truth else arguments[2])
        written = [self.part(argument) for argument in arguments]
        if call.name == "string" and written[0].type not in {Type.NUMBER, Type.ANY}:
            return Written(f"string({written[0].text})", Type.STRING)
        if function.work is not None:
            return self._our_call(call, function, written)
        texts = [
            _CONVERT[function.type_of(number)](self, argument)
            for number, argument in enumerate(written)
        ]
        self._check_nodes(call, function, written)
        return Written(f"{call.name}({', '.join(texts)})", function.gives)

    def _our_call(
        self, call: Call, function: Function, written: list[Written]
    ) -> Written:
        self._check_nodes(call, function, written)
        texts = [self._current()] if function.after_current else []
        texts += [argument.text for argument in written]
        gives = function.gives
        if call.name in {"if", "coalesce"}:
            gives = joined(written[1:] if call.name == "if" else written)
        return Written(f"{self._ours(call.name)}({', '.join(texts)})", gives)

    def _count(self, call: Call, function: Function) -> None:
        most = MAX_ARGUMENTS if function.most is None else function.most
        if function.least <= len(call.arguments) <= most:
            return
        wanted = f"要有 {function.least} 个"
        if function.most is None:
            wanted = f"至少要有 {function.least} 个"
        elif most != function.least:
            wanted = f"要有 {function.least} 至 {most} 个"
        reason = f"{call.name} {wanted}参数，现在 {len(call.arguments)} 个"
        raise self._refused(call.position, reason)

    def _check_nodes(
        self, call: Call, function: Function, written: list[Written]
    ) -> None:
        for number, argument in enumerate(written):
            wants = function.type_of(number) is Type.NODES
            if wants and argument.type not in {Type.NODES, Type.ANY}:
                reason = f"{call.name} 的第 {number + 1} 个参数应是路径"
                raise self._refused(call.position, reason)

    def _ours(self, name: str) -> str:
        self.out.functions.add(name)
        return "o:" + name.replace(":", "-")

    def instance(self, call: Call) -> Written:
        name = call.arguments[0]
        if not isinstance(name, Literal):
            text = self._as_string(self.part(name))
            return Written(f"{self._ours('instance')}({text})", Type.NODES)
        known = self.out.instances
        variable = known.setdefault(name.value, f"i{len(known)}")
        return Written(f"${variable}", Type.NODES)

    def current(self, _call: Call) -> Written:
        return Written(self._current(), Type.NODES)

    def place(self, call: Call) -> Written:
        """Write position() and last(); outside of predicates there is one node."""
        if call.arguments:
            nodes = self._nodes(call.arguments[0])
            return Written(f"{self._ours('position')}({nodes})", Type.NUMBER)
        return Written(f"{call.name}()" if self.inside else "1", Type.NUMBER)

    def id(self, call: Call) -> Written:
        argument = self.part(call.arguments[0])
        return Written(f"{self._ours('id')}(/*, {argument.text})", Type.NODES)

    def regex(self, call: Call) -> Written:
        """Write a match; a pattern that never changes is judged at once."""
        text, pattern = (self.part(argument) for argument in call.arguments)
        if pattern.literal is not None:
            try:
                machine(pattern.literal)
            except PatternRefused as error:
                raise self._refused(call.position, str(error)) from error
        name = self._ours("regex")
        return Written(f"{name}({text.text}, {pattern.text})", Type.BOOLEAN)

    def lang(self, call: Call) -> Written:
        text = f"lang({self._as_string(self.part(call.arguments[0]))})"
        if self.seat.way and not self.inside:
            text = f"boolean({self.seat.way}[{text}])"
        return Written(text, Type.BOOLEAN)

    def _refused(self, position: int, reason: str) -> ExpressionRefused:
        return ExpressionRefused(self.source, position, reason)


_CONVERT: dict[Type, Callable[[_Emitter, Written], str]] = {
    Type.NUMBER: _Emitter._as_number,
    Type.STRING: _Emitter._as_string,
    Type.BOOLEAN: _Emitter._as_boolean,
    Type.NODES: _Emitter._as_is,
    Type.ANY: _Emitter._as_is,
}
_SPECIAL: dict[str, Callable[[_Emitter, Call], Written]] = {
    "instance": _Emitter.instance,
    "current": _Emitter.current,
    "position": _Emitter.place,
    "last": _Emitter.place,
    "id": _Emitter.id,
    "lang": _Emitter.lang,
    "regex": _Emitter.regex,
}


_IN_EXCEL = {
    "vlookup": "pulldata",
    "concatenate": "concat",
    "len": "string-length",
    "mid": "substr",
}
"""What a function of Excel is called here, where the names are not alike."""


def _near(name: str) -> str:
    """Return a hint at the function that was probably meant."""
    small = name[:40].lower()
    meant = _IN_EXCEL.get(small)
    near = [meant] if meant else difflib.get_close_matches(small, FUNCTIONS, n=1)
    return f"，是不是 {near[0]}？" if near else ""
