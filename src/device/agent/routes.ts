/** Which faces fit on one listener, and which methods a path knows. Pure. */
import { KnownError } from '../../contract/error.ts';
import type { Face } from './face.ts';

type Named = Pick<Face, 'name' | 'routes'>;

interface Route {
	/** ANY stands for all methods. */
	readonly method: string;
	readonly path: string;
}

/** "GET /a/:id" and "GET /a/:name" are the same route. */
function readRoute(route: string): Route {
	const [method = '', path = ''] = route.split(' ');
	return { method: method === 'ALL' || method === '*' ? 'ANY' : method, path: path.replaceAll(/:[^/]+/g, ':') };
}

const collides = (a: Route, b: Route): boolean =>
	a.path === b.path && (a.method === b.method || a.method === 'ANY' || b.method === 'ANY');

/** Throws CONFIG_INVALID that names both faces and the route they share. */
export function refuseCollisions(faces: readonly Named[], place: string): void {
	for (const [index, face] of faces.entries())
		for (const other of faces.slice(index + 1)) {
			const shared = face.routes.find((route) =>
				other.routes.some((theirs) => collides(readRoute(route), readRoute(theirs))),
			);
			if (shared !== undefined)
				throw new KnownError('CONFIG_INVALID', {
					details: `the faces ${face.name} and ${other.name} cannot share the listener ${place}, both answer ${shared}; give each its own`,
				});
		}
}

const pattern = (path: string): RegExp =>
	new RegExp(
		`^${path
			.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
			.replaceAll('*', '.*')
			.replaceAll(/:[^/]*/g, '[^/]+')}$`,
	);

/** The methods that a path knows; none for a path that is not there. */
export function methodsOf(faces: readonly Named[], url: string): string[] {
	const [path = ''] = url.split('?');
	const fitting = faces
		.flatMap(({ routes }) => routes.map(readRoute))
		.filter((route) => pattern(route.path).test(path));
	return [...new Set(fitting.map(({ method }) => method))].sort();
}

/** Whether one of the faces answers a path itself. */
export const owns = (faces: readonly Named[], method: string, path: string): boolean =>
	faces.some(({ routes }) => routes.some((route) => collides(readRoute(route), { method, path })));
