"""Brings what a program draws into /work/out although it says nothing about files: matplotlib, Pillow and plotly.

A figure that is shown is saved there; one that is still open at the end, too. A picture that the program saves elsewhere
is put there as well, as it is at the end.
"""
import atexit
import functools
import glob
import os
import shutil
import sys

OUT = '/work/out'
MOST = 20

saved_elsewhere = []
count = {}


def free_path(kind, ending):
    """The next name that no file has; None when there are enough."""
    while count.get(kind, 0) < MOST:
        count[kind] = count.get(kind, 0) + 1
        path = f'{OUT}/{kind}-{count[kind]}.{ending}'
        if not os.path.lexists(path):
            return path
    return None


def is_in_out(path):
    return os.path.realpath(path).startswith(OUT + '/')


def note(target):
    """Remembers where the program put a picture."""
    if not isinstance(target, (str, os.PathLike)):
        return
    path = os.path.abspath(os.fsdecode(target))
    if not is_in_out(path) and path not in saved_elsewhere and len(saved_elsewhere) < MOST:
        saved_elsewhere.append(path)


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


# matplotlib

shown = []


@quietly
def save_figure(figure):
    if getattr(figure, '_secure_code_saved', False) or not figure.get_axes():
        return
    path = free_path('figure', 'png')
    if path is not None:
        figure._secure_code_saved = True
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
    def savefig(real):
        def save(self, fname, *args, **kwargs):
            result = real(self, fname, *args, **kwargs)
            self._secure_code_saved = True
            note(fname)
            return result

        return save

    def show(real):
        return lambda self, *args, **kwargs: save_figure(self)

    wrap(module.Figure, 'savefig', savefig)
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
    def save(real):
        def save_and_note(self, fp, *args, **kwargs):
            result = real(self, fp, *args, **kwargs)
            note(fp)
            return result

        return save_and_note

    def show(real):
        def save_image(self, *args, **kwargs):
            path = free_path('image', 'png')
            if path is not None:
                real_save(self, path)

        return save_image

    real_save = module.Image.save
    wrap(module.Image, 'save', save)
    wrap(module.Image, 'show', show)


# plotly


@quietly
def save_plot(figure):
    path = None if getattr(figure, '_secure_code_saved', False) else free_path('plot', 'html')
    if path is not None:
        object.__setattr__(figure, '_secure_code_saved', True)
        plot_writer[0](figure, path)


plot_writer = []


def act_on_plotly(module):
    def write(real):
        def write_and_note(self, file, *args, **kwargs):
            result = real(self, file, *args, **kwargs)
            object.__setattr__(self, '_secure_code_saved', True)
            note(file)
            return result

        return write_and_note

    figures = module.BaseFigure
    plot_writer.append(figures.write_html)
    wrap(figures, 'write_html', write)
    wrap(figures, 'write_image', write)
    wrap(figures, 'show', lambda real: lambda self, *args, **kwargs: save_plot(self))


def finish(pid=os.getpid()):
    """At the end of the program, and not of its children."""
    if os.getpid() != pid:
        return
    if 'matplotlib._pylab_helpers' in sys.modules:
        for figure in open_figures():
            save_figure(figure)
    if plot_writer:
        from plotly.basedatatypes import BaseFigure

        for value in list(vars(sys.modules['__main__']).values()):
            if isinstance(value, BaseFigure):
                save_plot(value)
    for path in saved_elsewhere:
        bring(path)


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
    'plotly.basedatatypes': and_finish(act_on_plotly),
}
