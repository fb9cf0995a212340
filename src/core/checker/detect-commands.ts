/** Names of programs and shell builtins that tell a command line from an expression. */
export const commandNames: ReadonlySet<string> = new Set(
	`. : [ alias apt apt-get apk arch at awk base32 base64 basename bash bc bg bind break builtin bunzip2 bzip2 cal case cat cd chgrp chmod chown
	chroot cksum clear cmp comm command compgen complete continue cp cpio crontab csplit curl cut date dc dd declare df diff dig dir dirname dirs
	disown dmesg dnf docker dpkg du echo ed egrep enable env eval exec exit expand export expr false fc fdisk fg fgrep file find finger flock fold
	for free fsck ftp function fuser gawk gcc gdb getconf getent getopts git go gpg grep groupadd groups gunzip gzip halt hash head help hexdump
	history host hostname hostnamectl htop iconv id ifconfig info install ip iptables jobs join journalctl jq kill killall last ldd less let link
	ln local locale locate logger login logout look ls lsattr lsblk lscpu lsmod lsof ltrace make man mapfile md5sum mesg mkdir mkfifo mkfs mknod
	mktemp modprobe more mount mv nano nc ncat netcat netstat nice nl nmap node nohup npm nproc nslookup od openssl parallel passwd paste patch
	perl pgrep php ping pip pip3 pkill popd poweroff pr printenv printf ps pstree pushd pwd python python3 read readarray readlink readonly
	realpath reboot renice reset return rev rm rmdir rmmod rsync ruby scp screen script sed select seq service set setfacl sftp sh sha1sum
	sha256sum sha512sum shift shopt shred shuf shutdown sleep socat sort source split ss ssh ssh-keygen stat strace strings stty su sudo sum swapoff
	swapon sync sysctl systemctl tac tail tar tcpdump tee test time timeout tmux top touch tput tr traceroute trap tree true truncate tsort tty type
	typeset ulimit umask umount unalias uname unexpand uniq unlink unset unxz unzip uptime useradd userdel usermod users vi vim vmstat w wait
	wall watch wc wget whatis whereis which who whoami xargs xxd xz yes yum zcat zip zsh zstd nmcli rename column fmt pidof logname tshark
	ffmpeg convert mysql psql sqlite3 kubectl cargo rustc javac java ant mvn brew snap ufw useradd visudo wipefs lspci lsusb blkid parted mkswap
	pv zgrep dos2unix unix2dos hg svn gsettings xdg-open notify-send acpi bunzip2 look factor numfmt ptx truncate vdir sha224sum b2sum tee`
		.split(/\s+/)
		.filter((name) => name !== 'for' && name !== 'case' && name !== 'function' && name !== 'select'),
);
