#!/bin/sh
# Builds keeper-x64 and keeper-arm64 from keeper.c. Needs gcc and gcc-aarch64-linux-gnu; users never run it, the binaries are kept.
set -eu
cd "$(dirname "$0")"
hash=$(sha256sum keeper.c | cut -c1-64)
flags="-Os -std=c11 -Wall -Wextra -Werror -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -fno-builtin
	-fno-pic -no-pie -nostdlib -static -s -Wl,--build-id=none -Wl,-z,noseparate-code -Wl,-z,noexecstack -Wl,-z,max-page-size=4096"
# shellcheck disable=SC2086
build() { "$1" $flags -DSOURCE_SHA256="\"$hash\"" keeper.c -o "$2" && chmod 755 "$2"; }
build "${CC_X64:-x86_64-linux-gnu-gcc}" keeper-x64
build "${CC_ARM64:-aarch64-linux-gnu-gcc}" keeper-arm64
ls -l keeper-x64 keeper-arm64
