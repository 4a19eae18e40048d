/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Runs a fuzz target over stored inputs, so that every compiler's `make check` repeats what the fuzzer once found.
 * Arguments: files and directories (not recursed into); without any, the directory REPLAY_CORPUS given at compile time.
 * Fails when there was no input at all: a corpus that went missing must not pass for a green test.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/base/io.h"

#define INPUT_MAX (16U * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t inputs_n;

static void die(const char *path, const char *why)
{
	fprintf(stderr, "replay: %s: %s\n", path, why);
	exit(EXIT_FAILURE);
}

static void replay_file(const char *path)
{
	char *data;
	size_t len;
	int err = io_read_file(path, INPUT_MAX, &data, &len);
	if (err != 0)
		die(path, gw_strerror(err));
	/* A copy of the exact size, so that a sanitizer sees a read one octet past the end. */
	uint8_t *exact = malloc(len > 0 ? len : 1);
	if (exact == NULL)
		die(path, strerror(errno));
	memcpy(exact, data, len);
	free(data);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	inputs_n++;
}

static void replay_dir(const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);
	if (n == -1)
		die(path, strerror(errno));
	for (int i = 0; i < n; i++) {
		char file[4096];
		if (names[i]->d_name[0] != '.') {
			if (snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name) >= (int)sizeof(file))
				die(path, "path too long");
			replay_file(file);
		}
		free(names[i]);
	}
	free(names);
}

static void replay(const char *path)
{
	struct stat st;
	if (stat(path, &st) == -1)
		die(path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		replay_dir(path);
	else
		replay_file(path);
}

int main(int argc, char **argv)
{
#ifdef REPLAY_CORPUS
	if (argc == 1)
		replay(REPLAY_CORPUS);
#endif
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (inputs_n == 0)
		die(argv[0], "no input");
	printf("%zu inputs\n", inputs_n);
	return EXIT_SUCCESS;
}
