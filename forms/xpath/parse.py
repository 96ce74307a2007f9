"""Tokens made into a tree, by the grammar of XPath 1.0. Pure: no I/O."""

from forms.xpath.errors import ExpressionRefused
from forms.xpath.tokens import Kind, Token, tokenize
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

MAX_DEPTH = 80
"""How deep brackets, calls and predicates may be nested."""

# From the weakest to the strongest binding.
RANKS = (
    frozenset(["or"]),
    frozenset(["and"]),
    frozenset(["=", "!="]),
    frozenset(["<", "<=", ">", ">="]),
    frozenset(["+", "-"]),
    frozenset(["*", "div", "mod"]),
)
RANK_OF = {name: rank for rank, names in enumerate(RANKS) for name in names}

AXES = frozenset(
    [
        "ancestor",
        "ancestor-or-self",
        "attribute",
        "child",
        "descendant",
        "descendant-or-self",
        "following",
        "following-sibling",
        "namespace",
        "parent",
        "preceding",
        "preceding-sibling",
        "self",
    ]
)
NODE_TYPES = frozenset(["comment", "node", "processing-instruction", "text"])


def parse(text: str) -> Part:
    """Return the tree of an expression.

    Raises:
        ExpressionRefused: it breaks the grammar, or is too long or too deep.
    """
    parser = _Parser(text)
    part = parser.expression()
    parser.finish()
    return part


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.next = 0
        self.depth = 0

    def finish(self) -> None:
        token = self.tokens[self.next]
        if token.kind is not Kind.END:
            raise self._unexpected(token)

    def expression(self) -> Part:
        """Read operands and operators up to what is neither.

        One loop for all ranks, instead of one call for each: nesting stays cheap.
        """
        open_chains: list[tuple[int, list[Part], list[str]]] = []
        operand = self._unary()
        while True:
            token = self.tokens[self.next]
            rank = RANK_OF.get(token.text, -1) if token.kind is Kind.OPERATOR else -1
            while open_chains and open_chains[-1][0] > rank:
                _, operands, operators = open_chains.pop()
                operand = Infix((*operands, operand), tuple(operators))
            if rank < 0:
                return operand
            self.next += 1
            if not open_chains or open_chains[-1][0] < rank:
                open_chains.append((rank, [], []))
            open_chains[-1][1].append(operand)
            open_chains[-1][2].append(token.text)
            operand = self._unary()

    def _unary(self) -> Part:
        minuses = 0
        while self._skip(Kind.OPERATOR, "-"):
            minuses += 1
        part = self._union()
        # Two signs are one number: more would only nest.
        for _ in range(minuses if minuses < 2 else 2 - minuses % 2):
            part = Negation(part)
        return part

    def _union(self) -> Part:
        operands = [self._path()]
        while self._skip(Kind.OPERATOR, "|"):
            operands.append(self._path())
        return operands[0] if len(operands) == 1 else Union(tuple(operands))

    def _path(self) -> Part:
        if self._skip(Kind.OPERATOR, "//"):
            return Path(True, None, (_ANYWHERE, *self._steps()))
        if self._skip(Kind.OPERATOR, "/"):
            return Path(True, None, self._steps() if self._at_step() else ())
        if self._at_step():
            return Path(False, None, self._steps())
        part = self._primary()
        if predicates := self._predicates():
            part = Filter(part, predicates)
        token = self.tokens[self.next]
        if token.kind is Kind.OPERATOR and token.text in {"/", "//"}:
            self.next += 1
            between = (_ANYWHERE,) if token.text == "//" else ()
            return Path(False, part, (*between, *self._steps()))
        return part

    def _primary(self) -> Part:
        token = self.tokens[self.next]
        self.next += 1
        if token.kind is Kind.NUMBER:
            return Number(token.text)
        if token.kind is Kind.LITERAL:
            return Literal(token.text)
        if token.kind is Kind.NAME:
            return self._call(token)
        if token.kind is Kind.SYMBOL and token.text == "(":
            self._deeper(token)
            part = self.expression()
            self._expect(")")
            self.depth -= 1
            return part
        raise self._unexpected(token)

    def _call(self, name: Token) -> Call:
        self._deeper(name)
        self._expect("(")
        arguments: list[Part] = []
        if not self._skip(Kind.SYMBOL, ")"):
            arguments.append(self.expression())
            while self._skip(Kind.SYMBOL, ","):
                arguments.append(self.expression())
            self._expect(")")
        self.depth -= 1
        return Call(name.text, tuple(arguments), name.position)

    def _steps(self) -> tuple[Step, ...]:
        steps = [self._step()]
        while True:
            token = self.tokens[self.next]
            if token.kind is not Kind.OPERATOR or token.text not in {"/", "//"}:
                return tuple(steps)
            self.next += 1
            if token.text == "//":
                steps.append(_ANYWHERE)
            steps.append(self._step())

    def _step(self) -> Step:
        token = self.tokens[self.next]
        if self._skip(Kind.SYMBOL, "."):
            return Step("self", "node()", (), token.position)
        if self._skip(Kind.SYMBOL, ".."):
            return Step("parent", "node()", (), token.position)
        axis = "child"
        if self._skip(Kind.SYMBOL, "@"):
            axis = "attribute"
        elif token.kind is Kind.NAME and self._follows("::"):
            axis = token.text
            if axis not in AXES:
                raise ExpressionRefused(
                    self.text, token.position, f"没有 {axis[:40]!r} 这种轴"
                )
            self.next += 2
        test = self._node_test()
        return Step(axis, test, self._predicates(), token.position)

    def _node_test(self) -> str:
        token = self.tokens[self.next]
        if token.kind is not Kind.NAME:
            raise self._unexpected(token)
        self.next += 1
        if not self._skip(Kind.SYMBOL, "("):
            return token.text
        if token.text not in NODE_TYPES:
            reason = f"函数 {token.text[:40]!r} 不能写在 / 后面"
            raise ExpressionRefused(self.text, token.position, reason)
        target = self.tokens[self.next]
        if token.text == "processing-instruction" and target.kind is Kind.LITERAL:
            self.next += 1
            self._expect(")")
            quote = '"' if "'" in target.text else "'"
            return f"{token.text}({quote}{target.text}{quote})"
        self._expect(")")
        return f"{token.text}()"

    def _predicates(self) -> tuple[Part, ...]:
        predicates: list[Part] = []
        while True:
            token = self.tokens[self.next]
            if not self._skip(Kind.SYMBOL, "["):
                return tuple(predicates)
            self._deeper(token)
            predicates.append(self.expression())
            self._expect("]")
            self.depth -= 1

    def _at_step(self) -> bool:
        token = self.tokens[self.next]
        if token.kind is Kind.SYMBOL:
            return token.text in {".", "..", "@"}
        if token.kind is not Kind.NAME:
            return False
        return not self._follows("(") or token.text in NODE_TYPES

    def _follows(self, symbol: str) -> bool:
        after = self.tokens[self.next + 1]
        return after.kind is Kind.SYMBOL and after.text == symbol

    def _skip(self, kind: Kind, text: str) -> bool:
        token = self.tokens[self.next]
        if token.kind is kind and token.text == text:
            self.next += 1
            return True
        return False

    def _expect(self, symbol: str) -> None:
        token = self.tokens[self.next]
        if not self._skip(Kind.SYMBOL, symbol):
            raise ExpressionRefused(
                self.text, token.position, f"这里应是 {symbol}，{_said(token)}"
            )

    def _deeper(self, token: Token) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            reason = f"括号套得太深：最多 {MAX_DEPTH} 层"
            raise ExpressionRefused(self.text, token.position, reason)

    def _unexpected(self, token: Token) -> ExpressionRefused:
        return ExpressionRefused(self.text, token.position, _said(token))


_ANYWHERE = Step("descendant-or-self", "node()", (), 0)


def _said(token: Token) -> str:
    if token.kind is Kind.END:
        return "写到一半就结束了"
    divides = "；除号写 div" if token.text == "/" else ""
    return f"{token.text[:40]!r} 不应出现在这里{divides}"
