/**
 * The languages a job may be written in, and how their names are spelled everywhere.
 * The schemas are marked pure: a bundle that only needs the names leaves zod out.
 */
import { z } from 'zod';

export const languages = ['python', 'javascript', 'bash'] as const;
export const languageSchema = /* @__PURE__ */ z
	.enum(languages)
	.describe('The language of a program that runs in the jail.');
export const languageChoiceSchema = /* @__PURE__ */ z
	.enum(['auto', ...languages])
	.describe('The language of the code, or "auto" to let the three parsers decide.');

export type Language = z.infer<typeof languageSchema>;
export type LanguageChoice = z.infer<typeof languageChoiceSchema>;

/** How a language is called in a sentence for a person or a model. */
export const languageLabels: Record<Language, string> = { python: 'Python', javascript: 'JavaScript', bash: 'Bash' };

/** TypeScript is JavaScript with a dialect: it is analysed with types and started with types stripped. */
export type Dialect = 'javascript' | 'typescript';
