#!/bin/sh
# Builds init-x64 and init-arm64 from init.c. Needs gcc and gcc-aarch64-linux-gnu; users never run it, the binaries are kept.
set -eu
cd "$(dirname "$0")"
hash=$(sha256sum init.c | cut -c1-64)
flags="-Os -std=c11 -Wall -Wextra -Werror -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -fno-builtin
	-fno-pic -no-pie -nostdlib -static -s -Wl,--build-id=none -Wl,-z,noseparate-code -Wl,-z,noexecstack -Wl,-z,max-page-size=4096"
# shellcheck disable=SC2086
build() { "$1" $flags -DSOURCE_SHA256="\"$hash\"" init.c -o "$2" && chmod 755 "$2"; }
build "${CC_X64:-x86_64-linux-gnu-gcc}" init-x64
build "${CC_ARM64:-aarch64-linux-gnu-gcc}" init-arm64
ls -l init-x64 init-arm64
