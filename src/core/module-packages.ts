/** Which package brings a module: known pairs only, since a name that nobody checked may lead to somebody's trap. Pure. */

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Packages that are called otherwise than what is imported of them. */
const otherwise: Readonly<Record<string, string>> = {
	_cffi_backend: 'cffi',
	attr: 'attrs',
	barcode: 'python-barcode',
	bidi: 'python-bidi',
	Bio: 'biopython',
	bs4: 'beautifulsoup4',
	bson: 'pymongo',
	camelot: 'camelot-py',
	community: 'python-louvain',
	Crypto: 'pycryptodome',
	Cryptodome: 'pycryptodomex',
	Cython: 'cython',
	cv2: 'opencv-python-headless',
	dateutil: 'python-dateutil',
	discord: 'discord.py',
	dns: 'dnspython',
	docx: 'python-docx',
	dotenv: 'python-dotenv',
	faiss: 'faiss-cpu',
	fitz: 'pymupdf',
	fpdf: 'fpdf2',
	git: 'gitpython',
	google_auth_oauthlib: 'google-auth-oauthlib',
	googleapiclient: 'google-api-python-client',
	grpc: 'grpcio',
	gtts: 'gTTS',
	imblearn: 'imbalanced-learn',
	IPython: 'ipython',
	jose: 'python-jose',
	jwt: 'pyjwt',
	kafka: 'kafka-python',
	Levenshtein: 'levenshtein',
	magic: 'python-magic',
	mpl_toolkits: 'matplotlib',
	'mpl_toolkits.basemap': 'basemap',
	MySQLdb: 'mysqlclient',
	nacl: 'pynacl',
	netCDF4: 'netcdf4',
	nmap: 'python-nmap',
	odf: 'odfpy',
	OpenGL: 'pyopengl',
	OpenSSL: 'pyopenssl',
	pdfminer: 'pdfminer.six',
	PIL: 'pillow',
	pkg_resources: 'setuptools',
	pptx: 'python-pptx',
	psycopg2: 'psycopg2-binary',
	pylab: 'matplotlib',
	PyPDF2: 'pypdf2',
	serial: 'pyserial',
	shapefile: 'pyshp',
	skimage: 'scikit-image',
	sklearn: 'scikit-learn',
	skopt: 'scikit-optimize',
	slugify: 'python-slugify',
	snappy: 'python-snappy',
	socks: 'pysocks',
	speech_recognition: 'speechrecognition',
	stl: 'numpy-stl',
	tabula: 'tabula-py',
	telegram: 'python-telegram-bot',
	umap: 'umap-learn',
	usb: 'pyusb',
	websocket: 'websocket-client',
	whois: 'python-whois',
	Xlib: 'python-xlib',
	yaml: 'pyyaml',
	zmq: 'pyzmq',
	'azure.core': 'azure-core',
	'azure.identity': 'azure-identity',
	'azure.storage.blob': 'azure-storage-blob',
	'google.auth': 'google-auth',
	'google.genai': 'google-genai',
	'google.generativeai': 'google-generativeai',
	'google.oauth2': 'google-auth',
	'google.protobuf': 'protobuf',
	'ruamel.yaml': 'ruamel.yaml',
};

/** Parts of google.cloud that are packages of their own. */
const googleCloud = words(
	'bigquery firestore language pubsub secretmanager speech storage texttospeech translate vision',
);

/** Packages that are called as what is imported of them; of words in one name, the package has a hyphen. */
const alike = words(`
	aiohttp altair anthropic arabic_reshaper arrow bcrypt bokeh boto3 botocore brotli cachetools cairosvg cartopy catboost
	certifi cffi chardet charset_normalizer click cloudpickle colorama cryptography dateparser deepdiff defusedxml dill django
	duckdb elasticsearch emoji et_xmlfile faker fastapi fastparquet feedparser fiona flask flask_cors folium fsspec fuzzywuzzy
	gensim geopandas geopy graphviz h5py holidays html5lib httpx humanize idna imageio jinja2 joblib jsonschema kiwisolver
	langchain librosa lightgbm lxml lz4 markdown markdownify markupsafe matplotlib more_itertools moviepy mpmath msgpack networkx
	nltk numba numexpr numpy openai openpyxl orjson packaging pandas paramiko passlib patsy pdfplumber pendulum phonenumbers
	pika pillow plotly polars prettytable psutil psycopg pyarrow pycountry pydantic pydub pymongo pymysql pyparsing pypdf
	pyproj pytesseract pytest pytz qrcode rapidfuzz rasterio redis regex reportlab requests rich scipy seaborn selenium
	sentence_transformers setuptools shapely simplejson six soundfile spacy sqlalchemy statsmodels svglib sympy tables tabulate
	tensorflow termcolor thefuzz tiktoken toml torch torchvision tqdm transformers trimesh typing_extensions tzdata ujson
	unidecode urllib3 uvicorn wordcloud xarray xgboost xlrd xlsxwriter xlwt xmltodict yfinance zstandard
`);

const alikeInNpm = new Set(
	words(`
	adm-zip ajv async axios bcryptjs bluebird chalk chart.js cheerio commander compromise cookie crypto-js csv-parse
	csv-stringify d3 date-fns dayjs docx ejs exceljs express fast-xml-parser glob got handlebars iconv-lite immer js-yaml
	jsonwebtoken jszip lodash luxon marked mathjs mime-types minimatch moment ms mustache nanoid node-fetch papaparse
	pdf-lib pdfkit qs ramda rxjs semver sharp tar turndown typescript underscore undici uuid validator ws xlsx xml2js yaml
	yargs zod
`),
);

const pythonPackages = new Map<string, string>([
	...alike.map((name) => [name, name.replaceAll('_', '-')] as const),
	...googleCloud.map((name) => [`google.cloud.${name}`, `google-cloud-${name}`] as const),
	...Object.entries(otherwise),
	// Libraries name packages, too; of names that nobody can import nobody takes one for the other.
	...Object.values(otherwise).flatMap((name) => (name.includes('-') ? [[name, name] as const] : [])),
]);

/** Names under which several packages lie, so that a part that is missing is a package that is missing. */
export const sharedRoots = new Set(words('azure backports google jaraco mpl_toolkits ruamel sphinxcontrib zope'));

/** @returns undefined for a module that this table does not know */
export function packageOf(language: 'python' | 'javascript', module: string): string | undefined {
	if (language === 'javascript') return alikeInNpm.has(module) ? module : undefined;
	for (let name = module; name !== ''; name = name.replace(/\.?[^.]*$/, '')) {
		const found = pythonPackages.get(name);
		if (found !== undefined) return found;
	}
	return undefined;
}

/** @returns why no package can bring a module of Python; undefined when one may */
export function hopeless(module: string): string | undefined {
	const root = module.split('.')[0] ?? module;
	return reasons.find(({ modules }) => modules.has(root))?.why;
}

const reasons = [
	{
		modules: new Set(words('tkinter _tkinter Tkinter turtle idlelib curses _curses pyautogui pynput')),
		why: 'programs here have no screen. Figures of matplotlib and plotly are saved without one',
	},
	{
		modules: new Set(
			words(
				'win32api win32com win32con win32file win32gui win32event pythoncom pywintypes winreg msvcrt winsound _winapi',
			),
		),
		why: 'it is a part of Windows, and programs here run on Linux',
	},
	{
		modules: new Set(
			words(`
			aifc asynchat asyncore audioop binhex cgi cgitb chunk crypt distutils formatter imghdr imp lib2to3 mailcap nntplib parser
			pipes smtpd sndhdr spwd sunau symbol telnetlib uu xdrlib
			BaseHTTPServer commands ConfigParser cookielib cPickle cStringIO HTMLParser httplib md5 Queue sets SimpleHTTPServer
			SocketServer StringIO urllib2 urlparse UserDict xmlrpclib __builtin__ ensurepip venv
		`),
		),
		why: 'it belongs to Python itself, of another version or another installation. Use what this version has in its place',
	},
	{
		modules: new Set(['kaleido']),
		why: 'pictures of plotly need a browser, which programs here do not have. Save the figure as HTML, or draw it with matplotlib',
	},
] as const;
