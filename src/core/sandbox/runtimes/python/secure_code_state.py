"""Keeps the variables, functions, classes and imports of a program for the next call of its session.

They lie in /work, which the session keeps. Whatever cannot be stored is named once on stderr and left out.
"""
import ast
import atexit
import os
import pickle
import sys

PATH = '/work/.secure-code-state'
MAIN = sys.modules['__main__']
OWN = ('__', '_secure_code')

definitions = {}


def is_kept(name):
    return not name.startswith(OWN) and name != 'data'


def restore():
    """Imports and definitions first: values may be made of them."""
    try:
        with open(PATH, 'rb') as file:
            kept = pickle.load(file)
    except FileNotFoundError:
        return
    definitions.update(kept['definitions'])
    for source in definitions.values():
        attempt(lambda: exec(compile(source, '<session>', 'exec'), MAIN.__dict__))
    for name, value in kept['values'].items():
        attempt(lambda: setattr(MAIN, name, pickle.loads(value)))


def attempt(act):
    try:
        act()
    except Exception as error:
        print(f'secure-code: something of the session could not be restored: {error}', file=sys.stderr)


def read_definitions():
    """What the program says about its imports, functions and classes, by the names that they bind."""
    path = sys.argv[0]
    with open(path, encoding='utf-8') as file:
        text = file.read()
    lines = text.splitlines(keepends=True)
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names = [node.name]
        elif isinstance(node, ast.Import):
            names = [alias.asname or alias.name.partition('.')[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = ['from ' + ast.unparse(node)]
        else:
            continue
        first = min([node.lineno, *(one.lineno for one in getattr(node, 'decorator_list', []))])
        source = ''.join(lines[first - 1 : node.end_lineno])
        for name in names:
            definitions.pop(name, None)
        definitions[names[0]] = source


def is_definition(value):
    if isinstance(value, type(sys)):
        return True
    return isinstance(value, (type, type(is_kept))) and getattr(value, '__module__', None) == '__main__'


def save(pid=os.getpid()):
    if os.getpid() != pid:
        return
    try:
        read_definitions()
    except Exception:
        pass
    values, left = {}, []
    for name, value in list(vars(MAIN).items()):
        if not is_kept(name) or is_definition(value):
            continue
        try:
            values[name] = pickle.dumps(value, protocol=5)
        except Exception:
            left.append(name)
    with open(PATH + '.new', 'wb') as file:
        pickle.dump({'definitions': definitions, 'values': values}, file)
    os.replace(PATH + '.new', PATH)
    if left:
        print(f'secure-code: not kept for the next call, because they cannot be stored: {", ".join(sorted(left))}', file=sys.stderr)


def save_quietly():
    try:
        save()
    except Exception as error:
        print(f'secure-code: the variables could not be kept: {error}', file=sys.stderr)


restore()
atexit.register(save_quietly)
