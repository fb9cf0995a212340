/** What a box with a network finds beside its program: where to ask for names, and whom to trust. Pure. */
import { certificatesPath } from './image.ts';

/** Where libraries that do not use the system's own list look for it. */
export const trustedList = {
	SSL_CERT_FILE: certificatesPath,
	REQUESTS_CA_BUNDLE: certificatesPath,
	CURL_CA_BUNDLE: certificatesPath,
};

/** With a network the jail asks its first process for names, and that hands every question to the gateway. */
export const resolver = {
	path: '/etc/resolv.conf',
	content: 'nameserver 127.0.0.1\noptions timeout:5 attempts:2\n',
};
