# Read by a shell before its program, through BASH_ENV: it says that it has started, and waits for the environment of its job.
# Nothing of this may be left for the program to see. init/init.c describes descriptors 3 and 4.
unset BASH_ENV SECURE_CODE_PRELOAD
printf w >&4
exec 4>&-
while IFS= read -r -d '' secure_code_variable <&3; do
	export "$secure_code_variable"
done
unset secure_code_variable
exec 3<&-
SECONDS=0
: /usr/bin/bash
