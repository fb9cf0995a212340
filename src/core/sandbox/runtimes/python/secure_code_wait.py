"""Imported by an interpreter that is started ahead: says that it has started, and waits for the environment of its job.

Nothing of this may be left for the program to see. init/init.c describes descriptors 3 and 4. Whatever goes wrong here ends
the interpreter, for a program must not run without its environment.
"""
import os
import sys


def preload(names):
    """Imports ahead what the program will import; it sees for itself what is missing. Nobody listens yet."""
    streams = sys.stdout, sys.stderr
    with open(os.devnull, 'w') as nowhere:
        kept = os.dup(1), os.dup(2)
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        for name in names:
            try:
                __import__(name)
            except BaseException:
                pass
        for stream in streams:
            stream.flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        os.close(kept[0])
        os.close(kept[1])


def spare_at_the_end():
    """What was imported ahead is not searched for garbage any more: at the end of a program that alone would take longer than most."""
    was_there = 'gc' in sys.modules
    import gc

    gc.collect()
    gc.freeze()
    if not was_there:
        del sys.modules['gc']


def read_to_end(descriptor):
    chunks = []
    while chunk := os.read(descriptor, 65536):
        chunks.append(chunk)
    return b''.join(chunks)


def wait():
    names = [name for name in os.environ.get('SECURE_CODE_PRELOAD', '').split(',') if name]
    if names:
        preload(names)
        spare_at_the_end()
    os.write(4, b'w')
    os.close(4)
    variables = read_to_end(3).split(b'\0')[:-1]
    os.close(3)
    given = dict(variable.split(b'=', 1) for variable in variables)
    for name in [name for name in os.environb if name not in given]:
        del os.environb[name]
    os.environb.update(given)


try:
    wait()
except BaseException:
    os._exit(125)
