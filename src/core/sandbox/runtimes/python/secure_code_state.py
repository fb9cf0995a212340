"""Keeps the variables, functions, classes and imports of a program for the next call of its session.

They lie in /work, which the session keeps. Whatever cannot be stored is named once on stderr and left out, and whatever
cannot come back does not keep the program from running.
"""
import atexit
import importlib
import os
import pickle
import sys
from functools import _lru_cache_wrapper, partial
from operator import attrgetter
from types import FunctionType, ModuleType, SimpleNamespace

PATH = '/work/.secure-code-state'
MAIN = sys.modules['__main__']
PROGRAM = sys.argv[0]
# What the program sees on its path of modules without having put it there.
KNOWN_PATH = list(sys.path)

# What the job itself gave to the program, by name.
presets = {}
# How each name came back, and what it was then.
restored = SimpleNamespace(bindings={}, modules=[], definitions={}, values={})


def complain(text):
    try:
        print(f'secure-code: {text}', file=sys.stderr)
    except BaseException:
        pass


def in_brief(error):
    try:
        return f'{type(error).__name__}: {error}'.splitlines()[0][:200]
    except BaseException:
        return type(error).__name__


def fault_of(act):
    """None, or in brief what went wrong; a program may have made anything that is looked at here."""
    try:
        act()
        return None
    except BaseException as error:
        return in_brief(error)


def is_kept(name, value):
    is_dunder = name.startswith('__') and name.endswith('__')
    return not is_dunder and not (name in presets and presets[name] is value)


def found(name, names):
    root, _, rest = name.partition('.')
    try:
        return attrgetter(rest)(names[root]) if rest else names[root]
    except (KeyError, AttributeError):
        return None


def current(name):
    """What the program has by this name, which may be one in a class. Stored functions and classes are found by it."""
    value = found(name, vars(MAIN))
    if value is None:
        raise AttributeError(f'there is no {name}')
    return value


class Silence:
    """What runs again has been said before."""

    def __enter__(self):
        self.kept = [os.dup(1), os.dup(2)]
        nowhere = os.open(os.devnull, os.O_WRONLY)
        self.turn([nowhere, nowhere])
        os.close(nowhere)

    def __exit__(self, *_):
        self.turn(self.kept)
        for descriptor in self.kept:
            os.close(descriptor)

    @staticmethod
    def turn(descriptors):
        for stream, number, descriptor in zip((sys.stdout, sys.stderr), (1, 2), descriptors):
            if stream is not None:
                stream.flush()
            os.dup2(descriptor, number)


def bind(name, module, member):
    source = importlib.import_module(module)
    if member is not None and not hasattr(source, member):
        importlib.import_module(f'{module}.{member}')
    setattr(MAIN, name, source if member is None else getattr(source, member))


def define(source, flags):
    exec(compile(source, '<session>', 'exec', flags, dont_inherit=True), MAIN.__dict__)


def load(file, name, at):
    file.seek(at)
    setattr(MAIN, name, pickle.load(file))


def acts_for(kept, file):
    """Imports first. Definitions may need values and values definitions, so the order of the others does not decide."""
    for name in kept['modules']:
        yield name, partial(importlib.import_module, name)
    for name, (module, member) in kept['bindings'].items():
        yield name, partial(bind, name, module, member)
    for name, (source, flags) in kept['definitions'].items():
        yield name, partial(define, source, flags)
    at = file.tell()
    for name, size in kept['sizes'].items():
        yield name, partial(load, file, name, at)
        at += size


def act_all(waiting):
    """Again and again, until nothing more succeeds. Tells what is left, and why."""
    while True:
        left = [(name, act, fault) for name, act in waiting if (fault := fault_of(act)) is not None]
        if not left or len(left) == len(waiting):
            return [f'{name} ({fault})' for name, _, fault in left]
        waiting = [(name, act) for name, act, _ in left]


def restore():
    with open(PATH, 'rb') as file:
        kept = pickle.load(file)
        sys.path.extend(entry for entry in kept['path'] if entry not in sys.path)
        lost = act_all(list(acts_for(kept, file)))
    restored.bindings, restored.modules, restored.definitions = kept['bindings'], kept['modules'], kept['definitions']
    names = [*kept['bindings'], *kept['definitions']]
    restored.values = {name: vars(MAIN)[name] for name in names if name in vars(MAIN)}
    return lost


def restore_quietly():
    if not os.path.lexists(PATH):
        return
    lost = []
    with Silence():
        fault = fault_of(lambda: lost.extend(restore()))
    if fault or lost:
        complain(f'something of the session could not be restored: {fault or ", ".join(lost)}')


class Keeper(pickle.Pickler):
    """Stores what the program made itself by its name, if the name is kept."""

    def __init__(self, write, held):
        super().__init__(SimpleNamespace(write=write), protocol=5)
        self.held = held

    def reducer_override(self, value):
        if not isinstance(value, (type, FunctionType, _lru_cache_wrapper)) or value.__module__ != '__main__':
            return NotImplemented
        name = value.__qualname__
        if self.is_found(name, value):
            return current, (name,)
        raise pickle.PicklingError(f'{name} is not kept')

    def is_found(self, name, value):
        """A class that was written anew since it came back takes over what was made of the old one."""
        if name.partition('.')[0] not in self.held:
            return False
        return found(name, self.held) is value or (isinstance(value, type) and found(name, restored.values) is value)


def program_text():
    """None for one that cannot be read; then what came back is all that is kept of definitions."""
    try:
        from secure_code_definitions import Program

        return Program(PROGRAM, vars(MAIN))
    except Exception:
        return None


def came_back(name, value):
    """Whether it is what the session brought, so that it is kept as it was."""
    return name in restored.values and restored.values[name] is value


def binding_of(name, value, program):
    """How to import it again: its module, and its name there unless it is one."""
    if name in restored.bindings and came_back(name, value):
        return restored.bindings[name]
    if isinstance(value, ModuleType):
        own = value.__name__
        return (own, None) if sys.modules.get(own) is value else None
    return program.member(name, value) if program else None


def definition_of(name, value, program):
    if name in restored.definitions and came_back(name, value):
        return restored.definitions[name]
    source = program.definition(name, value) if program else None
    return None if source is None else (source, program.flags)


def submodules(bindings, program):
    """`import a.b` binds only `a`."""
    roots = {module for module, member in bindings.values() if member is None}
    named = {*restored.modules, *(program.modules if program else ())}
    return sorted(name for name in named if '.' in name and name.partition('.')[0] in roots and name in sys.modules)


def find_out(find, values, program):
    """What is found for each name; nothing that a value does when it is looked at spoils the others."""
    answers = {}
    for name, value in values.items():
        fault_of(lambda: answers.update({name: find(name, value, program)}))
    return {name: answer for name, answer in answers.items() if answer is not None}


def pickled(values, held):
    """In parts, so that a large value is not copied."""
    stored = {name: [] for name in values}
    left = [name for name, value in values.items() if fault_of(lambda: Keeper(stored[name].append, held).dump(value))]
    return {name: parts for name, parts in stored.items() if name not in left}


def size_of(parts):
    return sum(memoryview(part).nbytes for part in parts)


def remove():
    if os.path.lexists(PATH):
        os.unlink(PATH)


def write(parts):
    """In the place of the old one, for there may be no room for both; where there is none even so, the old one stays."""
    room = os.statvfs(os.path.dirname(PATH))
    old = os.path.getsize(PATH) if os.path.lexists(PATH) else 0
    free, size = room.f_bavail * room.f_frsize + old, size_of(parts)
    if size > free:
        raise OSError(f'they need {size} bytes and {free} are free in /work, so they are as they were before')
    remove()
    try:
        with open(PATH, 'wb') as file:
            file.writelines(parts)
    except BaseException:
        remove()
        raise


def save():
    program = program_text()
    values = {name: value for name, value in list(vars(MAIN).items()) if is_kept(name, value)}
    bindings = find_out(binding_of, values, program)
    rest = {name: value for name, value in values.items() if name not in bindings}
    definitions = find_out(definition_of, rest, program)
    held = {name: values[name] for name in definitions}
    stored = pickled({name: value for name, value in rest.items() if name not in definitions}, held)
    kept = {
        'path': [entry for entry in sys.path if entry not in KNOWN_PATH],
        'modules': submodules(bindings, program),
        'bindings': bindings,
        'definitions': definitions,
        'sizes': {name: size_of(parts) for name, parts in stored.items()},
    }
    write([pickle.dumps(kept), *(part for parts in stored.values() for part in parts)])
    left = sorted(rest.keys() - definitions.keys() - stored.keys())
    if left:
        complain(f'not kept for the next call, because they cannot be stored: {", ".join(left)}')


def save_quietly(pid=os.getpid()):
    if os.getpid() != pid:
        return
    fault = fault_of(save)
    if fault is not None:
        complain(f'the variables could not be kept: {fault}')


atexit.register(save_quietly)
restore_quietly()
