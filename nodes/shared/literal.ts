/** Reads a parameter that must be a fixed value, because an expression in a tool can be steered by the model. */
import { NodeOperationError, type NodeParameterValueType } from 'n8n-workflow';
import type { NodeContext } from './context.ts';

const isExpression = (value: unknown): boolean => {
	if (typeof value === 'object' && value !== null) return Object.values(value).some(isExpression);
	return typeof value === 'string' && value.startsWith('=');
};

export function literal(
	context: NodeContext,
	name: string,
	itemIndex: number,
	fallback: string | number | boolean | object,
): NodeParameterValueType | object {
	const value = context.getNodeParameter(name, itemIndex, fallback, { rawExpressions: true });
	if (isExpression(value)) {
		throw new NodeOperationError(context.getNode(), `"${name}" must be a fixed value, not an expression`, {
			itemIndex,
			description: 'Expressions here could be steered by data or by the model. Enter the value itself.',
		});
	}
	return value;
}
