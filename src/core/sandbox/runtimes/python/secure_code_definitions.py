"""Finds in the text of a program which statement made a function or a class, and what its imports name. Runs nothing of it."""
import ast
import sys
import __future__
from collections import namedtuple
from types import FunctionType

DEFS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

# What makes a type of plain words, and may be asked for it again.
FACTORIES = {
    'collections': {'namedtuple'},
    'dataclasses': {'make_dataclass'},
    'enum': {'Enum', 'IntEnum', 'StrEnum', 'Flag', 'IntFlag'},
    'typing': {'NamedTuple', 'NewType', 'ParamSpec', 'TypedDict', 'TypeVar'},
}
PLAIN = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.expr_context, ast.keyword),
    *(ast.Tuple, ast.List, ast.Dict, ast.BinOp, ast.operator, ast.UnaryOp, ast.unaryop),
)

Definition = namedtuple('Definition', 'node first last source bare')
Definition.__doc__ = 'A statement, the lines where it stands, its text, and its text without decorators.'


def statements(node):
    """All but those inside functions and classes, which bind no global name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        if not isinstance(child, (*DEFS, ast.expr)):
            yield from statements(child)


def look_up(node, names):
    """What a name, or an attribute of a name, stands for."""
    if isinstance(node, ast.Attribute):
        return getattr(look_up(node.value, names), node.attr, None)
    return names.get(node.id) if isinstance(node, ast.Name) else None


def is_plain(node):
    return all(isinstance(part, PLAIN) for part in ast.walk(node))


def makes_type(node, names):
    """A call that does nothing but to make a type of words that do nothing."""
    if not isinstance(node, ast.Call):
        return False
    maker = look_up(node.func, names)
    known = FACTORIES.get(getattr(maker, '__module__', None), ())
    return getattr(maker, '__name__', None) in known and all(map(is_plain, [*node.args, *node.keywords]))


def unwrapped(value):
    """What is behind wrappers that say what they wrap."""
    for _ in range(100):
        inner = getattr(value, '__wrapped__', None)
        if inner is None:
            break
        value = inner
    return value


def is_class_of_program(value):
    return isinstance(value, type) and value.__module__ == '__main__'


class Program:
    """What the text of a program says, beside what it left behind."""

    def __init__(self, path, names):
        self.path = path
        self.names = names
        with open(path, encoding='utf-8-sig') as file:
            self.text = file.read()
        self.lines = self.text.split('\n')
        self.flags = 0
        self.made = {}
        self.modules = set()
        self.members = {}
        for node in statements(ast.parse(self.text)):
            self.read(node)

    def read(self, node):
        if isinstance(node, DEFS):
            self.add(node.name, self.statement(node))
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            self.read_assignment(node)
        elif isinstance(node, ast.Import):
            self.modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            self.read_members(node)

    def add(self, name, definition):
        self.made.setdefault(name, []).append(definition)

    def statement(self, node):
        """Whole lines, since nothing else can stand in them; what was indented stays so."""
        first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        text = lambda start: '\n'.join(['if True:'][: node.col_offset] + self.lines[start - 1 : node.end_lineno])
        return Definition(node, first, node.end_lineno, text(first), text(node.lineno))

    def read_assignment(self, node):
        value = node.value
        if not isinstance(value, ast.Lambda) and not makes_type(value, self.names):
            return
        for target in getattr(node, 'targets', None) or [node.target]:
            if isinstance(target, ast.Name):
                text = f'{target.id} = ({ast.get_source_segment(self.text, value)})'
                self.add(target.id, Definition(value, value.lineno, value.end_lineno, text, text))

    def read_members(self, node):
        module = sys.modules.get(node.module)
        if node.module == '__future__':
            self.flags |= sum(getattr(__future__, alias.name).compiler_flag for alias in node.names)
        for alias in node.names:
            names = [(alias.asname or alias.name, alias.name)]
            if alias.name == '*':
                names = [(name, name) for name in getattr(module, '__all__', vars(module) if module else ())]
            for name, member in names:
                self.members.setdefault(name, []).append((node.module, member))

    def member(self, name, value):
        """The module and the name there of what was imported from it and is still the same."""
        for module, member in reversed(self.members.get(name, [])):
            if getattr(sys.modules.get(module), member, self) is value:
                return module, member
        return None

    def line_of(self, value):
        """Where in the program a function or a class was made, if that can be seen."""
        if isinstance(value, FunctionType):
            return value.__code__.co_firstlineno if value.__code__.co_filename == self.path else None
        if not is_class_of_program(value):
            return None
        own = (self.line_of(one) for one in vars(value).values() if isinstance(one, FunctionType))
        return vars(value).get('__firstlineno__') or next((line for line in own if line), None)

    def definition(self, name, value):
        """The text that makes this value again, if the program says how it was made."""
        found = self.made.get(name, [])
        line = self.line_of(unwrapped(value)) if callable(value) else None
        here = [one for one in found if line and one.first <= line <= one.last][-1:]
        if here and isinstance(value, FunctionType) and unwrapped(value) is value:
            return here[0].bare
        result = [one for one in here or found[-1:] if self.is_result(one.node, value)]
        return result[0].source if result else None

    @staticmethod
    def is_result(node, value):
        """Whether a statement can have made what is no plain function."""
        if isinstance(node, ast.Call):
            return is_class_of_program(value) or type(value).__module__ == 'typing'
        if isinstance(node, DEFS) and node.decorator_list:
            return callable(value)
        return isinstance(node, ast.ClassDef) and is_class_of_program(value) and value.__qualname__ == node.name
