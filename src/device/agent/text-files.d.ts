/** Files that the build puts into the bundle as text. */
declare module '*.service' {
	const text: string;
	export default text;
}
declare module '*.yaml' {
	const text: string;
	export default text;
}
