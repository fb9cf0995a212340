import { describe, expect, it } from 'vitest';
import { detect } from '../../../../src/core/checker/detect.ts';

const languageOf = (code: string): string => detect(code).language;

describe('the language of a program', () => {
	it.each([
		['print("hi")', 'python'],
		['x = 5', 'python'],
		['import os', 'python'],
		['for i in range(3): print(i)', 'python'],
		['[x * 2 for x in [1, 2]]', 'python'],
		['# a comment\nprint(1)', 'python'],
		['x = {"a": 1}\nx["a"]', 'python'],
		['console.log(1)', 'javascript'],
		['let x = 5', 'javascript'],
		['items.map(i => i.json)', 'javascript'],
		['return items;', 'javascript'],
		['// a comment\nfoo()', 'javascript'],
		['export * from "x";', 'javascript'],
		['$input.all().length', 'javascript'],
		['ls', 'bash'],
		['ls -la', 'bash'],
		['hostname -I', 'bash'],
		['echo hi', 'bash'],
		['pwd', 'bash'],
		['cat a | grep b', 'bash'],
		['export A=1', 'bash'],
		['for i in 1 2 3; do echo $i; done', 'bash'],
		['./run.sh --fast', 'bash'],
	])('%j is %s', (code, language) => {
		expect(languageOf(code)).toBe(language);
	});

	it('is the one that the first line names', () => {
		expect(['#!/usr/bin/env python3\nx', '#!/bin/bash\nx', '#!/usr/bin/env node\nx'].map(languageOf)).toEqual([
			'python',
			'bash',
			'javascript',
		]);
	});

	it('is found out for a broken program, so that its error is told in its own language', () => {
		expect(
			['def f(:\n    return 1', 'const f = (x => {;\nlet y', 'if [ -f x ]; then\n  echo $x', 'print "hello"'].map(
				languageOf,
			),
		).toEqual(['python', 'javascript', 'bash', 'python']);
	});

	it('comes with the dialect and a confidence', () => {
		expect(detect('interface A { x: number }\nconst a: A = { x: 1 };')).toEqual({
			language: 'javascript',
			dialect: 'typescript',
			confidence: 1,
		});
	});
});
