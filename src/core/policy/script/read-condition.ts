/** Reads what stands between "[[" and "]]". Pure. */
import type { TestExpression } from 'unbash';
import { readWord, type WordReading } from './read-word.ts';
import { type Condition, NotUnderstood } from './tree.ts';

/** Not "-v" and "-R": they evaluate their word. */
const unary = '-a -b -c -d -e -f -g -h -k -n -p -r -s -t -u -w -x -z -G -L -N -O -S'.split(' ');
const ofTexts = '= == != < > -nt -ot -ef'.split(' ');
/** Their operands are evaluated, so they must be numbers. */
export const ofNumbers = '-eq -ne -lt -le -gt -ge'.split(' ');

/** @throws NotUnderstood */
export function readCondition(reading: WordReading, node: TestExpression): Condition {
	switch (node.type) {
		case 'TestUnary':
			if (!unary.includes(node.operator)) throw new NotUnderstood('dynamic', `"${node.operator}" in a condition`);
			return { kind: 'unary', operator: node.operator, operand: readWord(reading, node.operand) };
		case 'TestBinary':
			if (!ofTexts.includes(node.operator) && !ofNumbers.includes(node.operator))
				throw new NotUnderstood('dynamic', `"${node.operator}" in a condition`);
			return {
				kind: 'binary',
				operator: node.operator,
				left: readWord(reading, node.left),
				right: readWord(reading, node.right),
			};
		case 'TestLogical':
			return {
				kind: 'logical',
				operator: node.operator,
				operands: node.operands.map((one) => readCondition(reading, one)),
			};
		case 'TestNot': {
			const operand = readCondition(reading, node.operand);
			return node.negations.length % 2 === 0 ? operand : { kind: 'not', operand };
		}
		case 'TestGroup':
			return readCondition(reading, node.expression);
	}
}
