/**
 * Programs that can be made to start any other program, in the manner of the GTFOBins list. Not a wall: a reason to ask, where
 * somebody allowed a program by its name alone. Pure.
 */

const names = new Set(
	`sh bash dash ash zsh ksh mksh pdksh rbash csh tcsh fish posh rc sash yash slsh tasksh busybox toybox xonsh nu elvish pwsh powershell cmd
	python pypy perl ruby irb pry byebug node nodejs deno bun tsx php lua luajit texlua tclsh wish expect unbuffer guile julia octave
	gawk awk mawk nawk bwk jjs jrunscript jshell java groovy scala kotlin ghc ghci runghc erl elixir iex R Rscript ocaml racket sbcl clisp
	gdb lldb strace ltrace valgrind perf bpftrace crash scanmem ginsh gnuplot dc ed ex vi vim nvim view rview rvim vimdiff gvim
	nano pico rnano emacs joe mc micro kak hx less more most pg man info bat
	env xargs parallel nice ionice nohup setsid timeout time stdbuf sudo sudoedit su doas runuser pkexec chroot unshare nsenter setarch
	linux32 linux64 i386 taskset chrt choom prlimit cpulimit flock watch script scriptreplay screen tmux tmate dtach at batch
	start-stop-daemon run-parts run-mailcap dbus-run-session dbus-launch systemd-run systemd-inhibit capsh setpriv rlwrap catchsegv
	multitime logsave sg newgrp login exec eval command builtin source fakeroot proot firejail bwrap nsjail entr inotifywait incron
	ssh scp sftp rsync mosh rsh rlogin rexec telnet ftp lftp tnftp psftp sshpass ssh-agent ssh-keygen ssh-keyscan autossh sshfs
	socat nc ncat netcat openvpn openssl nmap tcpdump tshark dumpcap wireshark wget aria2c curl torify torsocks proxychains tsocks
	make gmake cmake ninja meson bazel scons gcc g++ cc c++ c89 c99 clang clang++ ld as cpp go cargo rustc npm npx yarn pnpm corepack pip pipx
	uv poetry conda gem bundle bundler rake mvn gradle ant sbt lein composer dotnet msbuild easy_install cpan cpanm cabal stack mix
	docker docker-compose podman buildah nerdctl ctr crictl runc crun kubectl oc helm minikube k3s lxc lxd lxc-attach machinectl
	ansible ansible-playbook ansible-test puppet chef-client knife salt salt-call vagrant terraform tofu packer pulumi facter cdist
	apt apt-get aptitude dpkg dpkg-reconfigure debconf rpm rpmdb rpmquery rpmverify rpmbuild yum dnf zypper snap flatpak apk pacman yay
	brew port emerge nix nix-shell nix-env guix pkg crontab service systemctl loginctl journalctl busctl systemd-resolve certbot
	git svn hg bzr cvs fossil tar bsdtar zip 7z 7za 7zr cpio ar pax rar find fd fdfind rg ag ack sed split csplit sort tee
	sqlite3 mysql mariadb psql pgsql mongo mongosh redis-cli sqlplus isql ip iftop nginx apache2 httpd logrotate varnishncsa
	tex latex pdftex pdflatex xetex xelatex luatex lualatex dvips groff troff nroff eqn tbl pic zathura ispell aspell mail mailx mutt
	sendmail exim msgfilter msgattrib cowsay cowthink csvtool cobc distcc ccache genie gimp grc hping3 ksshell lwp-download minicom
	msfconsole neofetch pdb pexec pidstat pwntools restic rtorrent scrot smbclient sqlmap tdbtool unsquashfs update-alternatives vigr vipw
	visudo volatility w3m lynx links elinks wall whiptail dialog xdotool xdg-open zsoelim zrun trap alias enable hash coproc
	dmsetup ldconfig ld.so logger modprobe insmod kexec mount umount chsh chfn wine qemu-system-x86_64 qemu-x86_64 gcore loginctl
	xterm gnome-terminal konsole x-terminal-emulator nohup setlock softlimit envdir chpst runit runsv s6-svc supervisorctl pm2 forever
	nodemon ts-node act gh glab code subl`
		.split(/\s+/)
		.filter((name) => name !== ''),
);

/** Versions such as python3.11 and ld-linux-x86-64.so.2 count as what they are. */
export function isExecCapableName(name: string): boolean {
	const base = name.toLowerCase().replace(/\.exe$/, '');
	const plain = base.replace(/[-.]?\d[\d.]*$/, '');
	return (
		names.has(base) || names.has(plain) || names.has(name) || /^ld(-linux.*)?\.so/.test(base) || /^ld-musl/.test(base)
	);
}

/** Words by which programs that were approved by pattern start others all the same. */
const startingWords: Readonly<Record<string, RegExp>> = {
	git: /^(-c|-c.+|--config-env.*|--exec-path.*|--upload-pack.*|--receive-pack.*|-O.*|--open-files-in-pager.*|--ext-diff|--textconv|-x|--exec.*|--output.*|--(git-dir|work-tree|namespace|super-prefix).*|--paginate|-p|config|bisect|submodule|filter-branch|difftool|mergetool|daemon|instaweb|hook|help|web--browse|credential.*|remote-.*|for-each-repo|maintenance|alias\..*)$/,
	docker:
		/^(run|exec|create|build|buildx|compose|cp|load|import|commit|plugin|swarm|service|stack|-H.*|--host.*|-c|--context.*|--config.*)$/,
	kubectl: /^(exec|run|cp|debug|attach|edit|plugin|proxy|port-forward|--kubeconfig.*)$/,
	systemctl: /^(edit|start|restart|reload.*|enable|link|set-.*|import-environment|-H.*|--host.*|--root.*|--image.*)$/,
	npm: /^(run.*|exec|x|start|test|install.*|i|ci|rebuild|explore|edit|config|set|init|create|--script-shell.*|--prefix.*)$/,
};

/** Whether a program that somebody approved by pattern is still to be asked about. */
export function startsOthers(name: string, words: readonly string[]): boolean {
	const pattern = Object.hasOwn(startingWords, name) ? startingWords[name] : undefined;
	return pattern ? words.some((word) => pattern.test(word)) : isExecCapableName(name);
}
