// The asset step of the build: what n8n reads as files beside the bundles.
const { dest, parallel, src } = require('gulp');

const icons = () => src('icons/*.svg').pipe(dest('dist/icons'));
const codex = () => src('nodes/*/*.node.json').pipe(dest('dist/nodes'));

exports.assets = parallel(icons, codex);
