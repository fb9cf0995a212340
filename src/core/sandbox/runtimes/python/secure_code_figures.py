"""Brings what a program draws into /work/out although it says nothing about files: matplotlib, Pillow and plotly.

A figure that is shown is saved there; one that is still open at the end, too. A picture that the program saves elsewhere
is put there as well, as it is at the end.
"""
import atexit
import filecmp
import functools
import glob
import os
import shutil
import sys
import threading

OUT = '/work/out'
MOST = 20

saved_elsewhere = []
count = {}
left_out = {}


def free_path(kind, ending):
    """The next name that no file has; None when there are enough, and then it is counted."""
    while count.get(kind, 0) < MOST:
        count[kind] = count.get(kind, 0) + 1
        path = f'{OUT}/{kind}-{count[kind]}.{ending}'
        if not os.path.lexists(path):
            return path
    leave_out(kind)
    return None


def leave_out(kind):
    left_out[kind] = left_out.get(kind, 0) + 1


def tell_left_out():
    if left_out:
        names = ', '.join(f'{number} {kind}{"s" * (number > 1)}' for kind, number in sorted(left_out.items()))
        print(f'secure-code: {MOST} pictures of each kind are saved; not saved: {names}', file=sys.stderr)


def is_in_out(path):
    return os.path.realpath(path).startswith(OUT + '/')


def place_of(target):
    """Where a picture lies that was saved there; None when it lies in no file."""
    if not isinstance(target, (str, os.PathLike)):
        target = getattr(target, 'name', None)
        if not isinstance(target, str) or not os.path.isfile(target):
            return None
    return os.path.abspath(os.fsdecode(target))


def note(path):
    """Remembers where the program put a picture."""
    if is_in_out(path) or path in saved_elsewhere:
        return
    if len(saved_elsewhere) < MOST:
        saved_elsewhere.append(path)
    else:
        leave_out('picture')


def bring(path):
    """A link costs nothing; another file system makes it a copy."""
    target = os.path.join(OUT, os.path.basename(path))
    if not os.path.isfile(path) or os.path.islink(path) or os.path.lexists(target):
        return
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def wrap(owner, name, replace):
    """Puts a function of ours around one of a library; it keeps its name and its words."""
    real = getattr(owner, name)
    setattr(owner, name, functools.wraps(real)(replace(real)))


def quietly(act):
    """What is done for the program must not end it."""

    @functools.wraps(act)
    def safe(*args):
        try:
            return act(*args)
        except Exception:
            return None

    return safe


# What is saved into no file: a buffer, or a stream

caught = set()
busy = threading.local()


def catch(owner, kind, ending, save):
    """Saves it once more, as it is now, into a file. The same image again is another try; the same figure may be drawn anew."""
    paths = vars(owner).setdefault('_secure_code_caught', {}) if kind == 'image' else {}
    path = paths.get(ending) or free_path(kind, ending)
    if path is not None:
        paths[ending] = path
        caught.add(path)
        save(path)


def forget(owner):
    """An image that has a file after all."""
    for path in vars(owner).pop('_secure_code_caught', {}).values():
        caught.discard(path)
        os.unlink(path)


@quietly
def forget_twins():
    """A program that saves into a buffer may write that to a file."""
    for path in sorted(caught):
        others = [one.path for one in os.scandir(OUT) if one.is_file(follow_symlinks=False) and one.path != path]
        if any(is_same(path, other) for other in others + saved_elsewhere):
            os.unlink(path)


@quietly
def is_same(one, other):
    return filecmp.cmp(one, other, shallow=False)


def saving(kind, target_name, ending_for):
    """Around a function that saves; a library that uses another one for it is not heard twice."""

    def around(real):
        @quietly
        def keep(owner, args, kwargs):
            target = args[0] if args else kwargs.pop(target_name)
            path = place_of(target)
            set_saved(owner)
            if path is None:
                catch(owner, kind, ending_for(args[1:], kwargs), lambda path: real(owner, path, *args[1:], **kwargs))
            else:
                note(path)
                forget(owner)

        def save(self, *args, **kwargs):
            if getattr(busy, 'here', False):
                return real(self, *args, **kwargs)
            busy.here = True
            try:
                result = real(self, *args, **kwargs)
                keep(self, args, kwargs)
            finally:
                busy.here = False
            return result

        return save

    return around


def set_saved(figure):
    try:
        object.__setattr__(figure, '_secure_code_saved', True)
    except AttributeError:
        pass


def is_saved(figure):
    return getattr(figure, '_secure_code_saved', False)


# matplotlib

shown = []


@quietly
def save_figure(figure):
    if is_saved(figure) or not figure.get_axes():
        return
    set_saved(figure)
    path = free_path('figure', 'png')
    if path is not None:
        figure.savefig(path, bbox_inches='tight')


def open_figures():
    return [manager.canvas.figure for manager in sys.modules['matplotlib._pylab_helpers'].Gcf.figs.values()]


WINDOWS = ('tk', 'qt', 'gtk', 'wx', 'macosx', 'webagg', 'nbagg', 'notebook', 'ipympl', 'widget')


def act_on_matplotlib(module):
    """
    A list of fonts that was made when the packages were added saves every program from making one. A backend of windows,
    which many programs ask for at their beginning, could open none.
    """

    def use(real):
        def use_without_windows(backend, *args, **kwargs):
            if not str(backend).lower().startswith(WINDOWS):
                return real(backend, *args, **kwargs)

        return use_without_windows

    wrap(module, 'use', use)
    place = os.environ.get('MPLCONFIGDIR', '')
    for fonts in glob.glob(os.path.join(os.path.dirname(os.path.dirname(module.__file__)), 'matplotlib-fonts', '*.json')):
        target = os.path.join(place, os.path.basename(fonts))
        if os.path.isdir(place) and not os.path.lexists(target):
            os.symlink(fonts, target)


def act_on_figure(module):
    def ending_for(args, kwargs):
        return kwargs.get('format') or sys.modules['matplotlib'].rcParams['savefig.format']

    def show(real):
        return lambda self, *args, **kwargs: save_figure(self)

    wrap(module.Figure, 'savefig', saving('figure', 'fname', ending_for))
    wrap(module.Figure, 'show', show)


def act_on_pyplot(module):
    """As with a window: after show() the next plot begins anew, but a figure that was just shown can still be saved."""

    def show(real):
        def save_all(*args, **kwargs):
            figures = open_figures()
            for figure in figures:
                save_figure(figure)
            shown[:] = figures[-1:]
            module.close('all')

        return save_all

    def savefig(real):
        def save(*args, **kwargs):
            if shown and not module.get_fignums():
                return shown[-1].savefig(*args, **kwargs)
            return real(*args, **kwargs)

        return save

    wrap(module, 'show', show)
    wrap(module, 'savefig', savefig)


# Pillow


def act_on_image(module):
    def ending_for(args, kwargs):
        wanted = str(kwargs.get('format') or (args[0] if args else 'png')).lower()
        return {'jpeg': 'jpg'}.get(wanted, wanted)

    def show(real):
        def save_image(self, *args, **kwargs):
            path = free_path('image', 'png')
            if path is not None:
                real_save(self, path)

        return save_image

    real_save = module.Image.save
    wrap(module.Image, 'save', saving('image', 'fp', ending_for))
    wrap(module.Image, 'show', show)


# plotly


@quietly
def save_plot(figure):
    if is_saved(figure):
        return
    set_saved(figure)
    path = free_path('plot', 'html')
    if path is not None:
        sys.modules['plotly.io'].write_html(figure, path)


def act_on_plotly_io(name):
    """Methods of figures, plotly.offline and programs all end here."""

    def act(module):
        def write(real):
            def write_and_note(fig, file, *args, **kwargs):
                result = real(fig, file, *args, **kwargs)
                path = quietly(place_of)(file)
                if path is None:
                    save_plot(fig)
                else:
                    set_saved(fig)
                    note(path)
                return result

            return write_and_note

        def show(real):
            return lambda fig, *args, **kwargs: save_plot(fig)

        wrap(module, name, show if name == 'show' else write)

    return act


def finish(pid=os.getpid()):
    """At the end of the program, and not of its children."""
    if os.getpid() != pid:
        return
    if 'matplotlib._pylab_helpers' in sys.modules:
        for figure in open_figures():
            save_figure(figure)
    if 'plotly.basedatatypes' in sys.modules:
        from plotly.basedatatypes import BaseFigure

        for value in list(vars(sys.modules['__main__']).values()):
            if isinstance(value, BaseFigure):
                save_plot(value)
    forget_twins()
    for path in saved_elsewhere:
        bring(path)
    tell_left_out()


finish_quietly = quietly(finish)


def and_finish(act):
    """The last to register is the first to be called: a library that closes its figures at the end must come after us."""

    def act_and_register(module):
        act(module)
        atexit.unregister(finish_quietly)
        atexit.register(finish_quietly)

    return act_and_register


ACTS = {
    'matplotlib': act_on_matplotlib,
    'matplotlib.figure': and_finish(act_on_figure),
    'matplotlib.pyplot': and_finish(act_on_pyplot),
    'PIL.Image': and_finish(act_on_image),
    'plotly.basedatatypes': and_finish(lambda module: None),
    'plotly.io._html': and_finish(act_on_plotly_io('write_html')),
    'plotly.io._kaleido': and_finish(act_on_plotly_io('write_image')),
    'plotly.io._renderers': and_finish(act_on_plotly_io('show')),
}
