"""Python programs drawn over its grammar: they compare, test, match, loop, raise, and log what they evaluate."""

from __future__ import annotations

import random

#: What every program has around it: `t` logs that it is evaluated, some values raise when they are compared or tested.
PRELUDE = """
import asyncio, contextlib, traceback
log = []
class Odd:
    def __init__(self, name): self.name = name
    def __bool__(self):
        log.append(("bool", self.name))
        if self.name % 5 == 0: raise ValueError("bool")
        return self.name % 2 == 0
    def __lt__(self, other):
        log.append(("lt", self.name))
        if self.name % 7 == 0: raise TypeError("lt")
        return Odd(self.name + 1)
    def __eq__(self, other):
        log.append(("eq", self.name))
        return self.name == getattr(other, "name", other)
    __hash__ = None
    def __contains__(self, item):
        log.append(("in", self.name))
        return self.name % 3 == 0
    def __repr__(self): return f"Odd({self.name})"
def t(number, value=None):
    log.append(number)
    if number % 23 == 0: raise KeyError(number)
    return number % 4 if value is None else value
@contextlib.contextmanager
def entered(name):
    log.append(("enter", name))
    try: yield name
    finally: log.append(("exit", name))
async def ticks(count):
    for i in range(count): yield i
def decorated(function):
    log.append(function.__name__)
    return function
def caught(error):
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "program.py"]
    log.append((type(error).__name__, str(error), lines))
TABLE = {0: "a", 1: "b", (1, 2): 3}
"""


class Programs:
    """Draws the body of one program."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._number = 0
        self._nesting = 0

    def program(self) -> str:
        """A whole program, whose function `main` is to be called: each statement may raise, and the next goes on."""
        tried = "\n".join(
            f"    try:\n{self._statement(8)}\n    except Exception as error:\n        caught(error)" for _ in range(6)
        )
        return f"{PRELUDE}\ndef main(a=1, b=2):\n    c = d = 0\n{tried}\n    return a, b, c, d\n"

    def _pick(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _t(self) -> str:
        self._number += 1
        value = self._pick("", "", "", f", Odd({self._number})", ", ()", ", 'text'", ", (1, 2)", ", None")
        return f"t({self._number}{value})"

    def _atom(self) -> str:
        return self._pick(self._t(), self._t(), "a", "b", "c", "1", "0", "'a'", "None", "True", "(1, 2)")

    def _expression(self, depth: int = 3) -> str:
        if depth == 0 or self._random.random() < 0.15:
            return self._atom()
        less = depth - 1
        e = lambda: self._expression(less)  # noqa: E731
        operator = lambda: self._pick("<", "<=", ">", ">=", "==", "!=", "is", "is not")  # noqa: E731
        kind = self._random.randrange(26)
        match kind:
            case 0 | 1:
                return f"({e()} {operator()} {e()})"
            case 2:
                return f"({e()} {operator()} {e()} {operator()}\n{' ' * 8}{e()})"
            case 3:
                return f"({e()} {self._pick('in', 'not in')} {self._pick('(1, 2)', 'TABLE', 'Odd(3)', '[0, 1]', e())})"
            case 4:
                return f"({e()} and {e()} and {e()})"
            case 5:
                return f"({e()} or {e()})"
            case 6:
                return f"(not {e()})"
            case 7:
                return f"({e()} if {e()} else {e()})"
            case 8:
                return f"[{e()} for i in range(3) if {e()}]"
            case 9:
                return f"any({e()} for i in range(3) if i < {self._t()})"
            case 10:
                return f"(c := {e()})"
            case 11:
                inner = e().replace("\n", " ")  # up to Python 3.11, one f-string cannot stand in another of its quotes
                return inner if '"""' in inner else f'f"""{{ {inner} !r}} {{ {self._t()} < 2 }}"""'
            case 12:
                return f"(lambda p, q={e()}: {e()})({e()})"
            case 13:
                return f"TABLE[{e()}]"
            case 14:
                return f"TABLE.get({e()}, {e()})"
            case 15:
                return f"'text'.startswith({e()})"
            case 16:
                return f"{{i: {e()} for i in (1, 2) if i != {e()}}}"
            case 17:
                return f"all([{e()}, *({e()},)])"
            case 18:
                return f"dict(k={e()}, **{{}})"
            case 19:
                return f"({e()} < {e()} if {e()} < {e()} < {e()} else not ({e()} and {e()}))"
            case 20:
                return f"[*{{{e()}}}][0]"
            case 21:
                return f"{{i, j for i in (1, 2) if {e()} for j in (0, 3) if i < j and {e()}}}".replace("i, j", "(i, j)")
            case 22:
                return f'f"""{{ {self._t()} !s:>{{ {self._t()} or 3 }}}} {{ {self._t()} == 1 = }}"""'
            case 23:
                return f"(d if (d := {e()}) < {e()} else (lambda *p, **q: p and q)(*({e()},), k={e()}))"
            case 24:
                return f"sum(1 for i in range(4) if i in ({e()}, {e()}) or not i % 2 == {e()})"
            case _:
                return f"({e()} + {e()})"

    def _block(self, statements: int, indent: int = 4) -> str:
        return "\n".join(self._statement(indent) for _ in range(statements))

    def _statement(self, indent: int) -> str:
        self._nesting += 1
        lines = self._lines(self._random.randrange(4 if self._nesting > 3 else 22), indent + 4)
        self._nesting -= 1
        # Lines of inner blocks are indented already.
        return "\n".join(line if line.startswith(" " * (indent + 4)) else " " * indent + line for line in lines)

    def _lines(self, kind: int, inner: int) -> list[str]:
        """The lines of a statement of a kind; those of its blocks stand at `inner`."""
        e = lambda: self._expression(self._random.randrange(1, 4))  # noqa: E731
        block = lambda: self._block(self._random.randrange(1, 3), inner)  # noqa: E731
        name, at, t = self._pick("a", "b", "c", "d"), " " * inner, self._t()
        match kind:
            case 0 | 1:
                return [f"{name} = {e()}"]
            case 2:
                return [e()]
            case 3:
                return [f"assert {e()}, {t}"]
            case 4 | 5:
                return [f"if {e()}:", block(), f"elif {e()}:", block(), "else:", block()]
            case 6:
                leave = f"{at}if {e()}: {self._pick('break', 'continue')}"
                return ["for i in range(2):", block(), leave, "else:", block()]
            case 7:
                counts = f"{at}d = 1 + (d if isinstance(d, int) else 9)"
                return ["d = 0", f"while d < 2 and {e()}:", counts, block(), f"{at}d = 5"]
            case 8:
                kinds = self._pick("Exception", "KeyError", "(ValueError, TypeError) as error")
                return ["try:", block(), f"except {kinds}:", block(), "finally:", f"{at}t(1)"]
            case 9:
                return [f"with entered({e()}) as c:", block()]
            case 10:
                return [f"match {e()}:", *self._case(inner), *self._case(inner), f"{at}case _:", f"{at}    t(2)"]
            case 11:
                head = f"def inner(p={e()}, *, q: (1 < 2) = {e()}) -> 'int':"
                return ["@decorated", head, block(), f"{at}return {e()}", "c = inner()"]
            case 12:
                yields = [f"{at}got = yield {e()}", f"{at}if {e()}:", f"{at}    yield (yield {e()})"]
                return ["def made():", *yields, "c = list(made())"]
            case 13:
                returns = f"{at}return [{e()} for i in (1, 2) if {e()}] if {e()} else {e()}"
                return ["async def soon():", returns, "c = asyncio.run(soon())"]
            case 14:
                held = [f"{at}held: int = {e()}", f"{at}if {e()}:", f"{at}    other = [i for i in range(3) if i > 1]"]
                reads = [f"{at}def read(self, v={e()}):", f"{at}    return v if {e()} else self.held"]
                return ["class Made:", *held, *reads, "c = Made().read()"]
            case 15:
                return [f"if {e()}: return {e()}"]
            case 16:
                return [f"c = {{0: 1}}; c[{t}] = {e()}; c[0] += 1; del c[0]"]
            case 17:
                return [f"if {e()}: raise RuntimeError({e()}) from None"]
            case 18:
                moved = [f"{at}held = {e()}", f"{at}def move():", f"{at}    nonlocal held", f"{at}    held = {e()}"]
                return [
                    "def outer():",
                    *moved,
                    f"{at}    return held",
                    f"{at}move()",
                    f"{at}return held",
                    "c = outer()",
                ]
            case 19:
                steps = [f"{at}async for i in ticks(3):", f"{at}    if {e()}: continue", f"{at}    t(i, {e()})"]
                within = [f"{at}async with asyncio.Lock() as lock:", f"{at}    return lock if {e()} else {e()}"]
                return ["async def later():", *steps, *within, "c = asyncio.run(later())"]
            case 20:
                groups = self._pick("ValueError", "(KeyError, TypeError) as error")
                raised = f"{at}raise ExceptionGroup('some', [ValueError({e()}), KeyError({e()})])"
                return ["try:", raised, f"except* {groups}:", f"{at}t(3, {e()})"]
            case _:
                return [f"a, *b = [{e()}, *({e()}, {e()})]", f"while {e()}:", f"{at}break", "else:", block()]

    def _case(self, indent: int) -> list[str]:
        e = lambda: self._expression(2)  # noqa: E731
        pattern = self._pick("0 | 1 if ", "(1, x)", "'text' | -1 as y", "[1, *_]", "{0: z} if not ", "str()")
        guard = e() if pattern.endswith(("if ", "not ")) else ""
        return [f"{' ' * indent}case {pattern}{guard}:", self._block(1, indent + 4)]
