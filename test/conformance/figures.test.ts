/** What Python programs draw comes back although they say nothing about files. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { figureBundle, whyNoBundle } from '../helpers/bundles.ts';
import { asEachIdentity, ended, type Jail, succeeded } from '../helpers/jail.ts';
import { runBothWays, runWarm } from '../helpers/warm.ts';

const reason = await whyNoBundle(...figureBundle);
const [bundle] = figureBundle;
const limits = { memoryBytes: 512 * 1024 * 1024, timeoutMs: 120_000 };

const drawn = async (jail: Jail, code: string) => {
	const result = await jail.python(code, { bundle, limits });
	return { ...ended(result), stderr: result.stderr, files: result.files.map(({ name, type }) => `${name} ${type}`) };
};

const worked = { ...succeeded, stderr: '' };
const signature = (path: string | null) =>
	readFileSync(path ?? '')
		.subarray(1, 4)
		.toString();

describe.skipIf(reason !== undefined)(`figures${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
	asEachIdentity(
		(jail) => {
			test('of matplotlib are saved when they are shown, and when they are still open at the end', async () => {
				const code = `
import matplotlib.pyplot as plt
plt.plot([1, 2, 3]); plt.show()
plt.plot([3, 2, 1]); plt.show()
plt.figure(); plt.bar([1, 2], [3, 4])
plt.figure()
`;
				const { files } = await jail.python(code, { bundle, limits });
				expect(files.map(({ name, path }) => [name, signature(path)])).toEqual(
					[1, 2, 3].map((number) => [`figure-${number}.png`, 'PNG']),
				);
				expect(new Set(files.map(({ path }) => readFileSync(path ?? '').toString('base64'))).size).toBe(3);
			});

			test('are saved although the program asks for windows, which there are not', async () => {
				const code = `
import matplotlib
matplotlib.use('TkAgg')
import matplotlib.pyplot as plt
matplotlib.use('Qt5Agg', force=True)
plt.plot([1, 2]); plt.show()
print(matplotlib.get_backend().lower())
`;
				const { files, stdout } = await jail.python(code, { bundle, limits });
				expect([files.map(({ name }) => name), stdout]).toEqual([['figure-1.png'], 'agg\n']);
			});

			test('are the same where the libraries were imported ahead', async () => {
				const code = `
import matplotlib.pyplot as plt, pandas as pd
plt.plot([1, 2, 3]); plt.show()
plt.figure(); plt.bar([1, 2], [3, 4])
print(pd.DataFrame({'a': [1]}).sum().a, plt.get_backend(), pd.__file__)
`;
				const job = {
					language: 'python',
					code,
					bundle,
					limits,
					preload: ['matplotlib.pyplot', 'pandas', 'not_there'],
				} as const;
				const { warm, cold } = await runBothWays((one) => jail.run(one), { ...job, preload: [...job.preload] });
				expect(warm).toEqual(cold);
				expect(warm.files.map(({ name }) => name)).toEqual(['figure-1.png', 'figure-2.png']);
			});

			test('a program that has less memory than the libraries take starts without them', async () => {
				const preload = ['matplotlib.pyplot', 'pandas'];
				await runWarm((one) => jail.run(one), { language: 'python', code: 'print(1)', bundle, limits, preload });
				const small = { memoryBytes: 32 * 1024 * 1024, timeoutMs: 60_000 };
				const result = await jail.python('print(2)', { bundle, limits: small, preload });
				expect({ ...ended(result), stdout: result.stdout }).toEqual({ ...succeeded, stdout: '2\n' });
			});

			test('that a program saves itself come once, wherever it puts them', async () => {
				const code = `
import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt
from PIL import Image
fig, ax = plt.subplots(); ax.plot([1, 2]); fig.savefig('/work/out/direct.png')
fig, ax = plt.subplots(); ax.plot([2, 1]); plt.savefig('mine.svg'); plt.show()
fig, ax = plt.subplots(); ax.plot([2, 2]); plt.show(); plt.savefig('/tmp/after.png')
Image.new('RGB', (9, 9)).save('photo.jpg')
Image.new('RGB', (9, 9)).show()
`;
				expect(await drawn(jail, code)).toEqual({
					...worked,
					files: [
						'after.png image/png',
						'direct.png image/png',
						'figure-1.png image/png',
						'image-1.png image/png',
						'mine.svg image/svg+xml',
						'photo.jpg image/jpeg',
					],
				});
			});

			test('of pandas and plotly are among them, also when the program fails at its end', async () => {
				const code = `
import pandas as pd, plotly.express as px
pd.DataFrame({'a': [1, 2]}).plot()
px.bar(x=[1, 2], y=[3, 4]).show()
kept = px.line(x=[1, 2], y=[3, 4])
raise SystemExit(3)
`;
				expect(await drawn(jail, code)).toEqual({
					...worked,
					status: 'failed',
					exitCode: 3,
					files: ['figure-1.png image/png', 'plot-1.html text/html', 'plot-2.html text/html'],
				});
			});

			test('that are saved into no file come all the same, once, and each state of a figure', async () => {
				const code = `
import base64, io, matplotlib.pyplot as plt
from PIL import Image
for n in (1, 2):
    plt.clf(); plt.plot([n, 2 * n]); plt.savefig(fname=io.BytesIO())
plt.close()
fig, ax = plt.subplots(); ax.plot([5, 1]); buffer = io.BytesIO(); fig.savefig(buffer, format='svg'); plt.close(fig)
fig, ax = plt.subplots(); ax.bar([1], [1]); buffer = io.BytesIO(); fig.savefig(buffer)
open('/work/out/own.png', 'wb').write(buffer.getvalue())
with open('/work/out/opened.png', 'wb') as file: fig.savefig(file, dpi=30)
image = Image.new('RGB', (9, 9), 'red')
for quality in (90, 50): image.save(io.BytesIO(), 'JPEG', quality=quality)
with open('opened.jpg', 'wb') as file: Image.new('RGB', (8, 8)).save(file)
`;
				expect(await drawn(jail, code)).toEqual({
					...worked,
					files: [
						'figure-1.png image/png',
						'figure-2.png image/png',
						'figure-3.svg image/svg+xml',
						'image-1.jpg image/jpeg',
						'opened.jpg image/jpeg',
						'opened.png image/png',
						'own.png image/png',
					],
				});
			});

			test('of plotly come also through the functions of plotly.io', async () => {
				const code = `
import io, plotly.io as pio, plotly.express as px
def run():
    pio.write_html(px.bar(x=[1], y=[3]), 'bar.html')
    pio.show(px.bar(x=[1], y=[4]))
    pio.show({'data': [{'type': 'bar', 'y': [5]}]})
    pio.write_html(px.bar(x=[1], y=[6]), io.StringIO())
    px.bar(x=[1], y=[7]).write_html('/tmp/method.html')
run()
`;
				const names = ['bar.html', 'method.html', 'plot-1.html', 'plot-2.html', 'plot-3.html'];
				expect(await drawn(jail, code)).toEqual({ ...worked, files: names.map((name) => `${name} text/html`) });
			});

			test('are saved by the program alone and not by its children, and no more than twenty of them, which is said', async () => {
				const code = `
import multiprocessing, matplotlib.pyplot as plt
def child(): plt.figure(); plt.plot([1])
plt.rcParams['figure.max_open_warning'] = 0
for n in range(25): plt.figure(figsize=(1, 1)); plt.plot([n])
process = multiprocessing.get_context('fork').Process(target=child); process.start(); process.join()
`;
				const { files, stderr } = await drawn(jail, code);
				expect([files.length, stderr]).toEqual([
					20,
					'secure-code: 20 pictures of each kind are saved; not saved: 5 figures\n',
				]);
			});

			test('do not end a program that spoils the folder for them', async () => {
				const code = `
import os, shutil, matplotlib.pyplot as plt
shutil.rmtree('/work/out'); open('/work/out', 'w').close()
plt.plot([1]); plt.show(); print('went on')
`;
				const result = await jail.python(code, { bundle, limits });
				expect({ ...ended(result), stdout: result.stdout, files: result.files }).toEqual({
					...succeeded,
					stdout: 'went on\n',
					files: [],
				});
			});
		},
		{ withFiles: true },
	);
});
