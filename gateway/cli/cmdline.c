/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cli/cmdline.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define LONG_LEARNED 256 /* no letter */
#define DEFAULT_FILE BH_SYSCONFDIR "/bulkhead/bulkhead.conf"

static const char help[] =
	"Usage: bulkhead [-f FILE] [-d DIR] [-D NAME[=VALUE]] [-C DIRECTIVE] [-c DIRECTIVE] [-X] [-k COMMAND]\n"
	"       bulkhead [-f FILE] -t | -S\n"
	"       bulkhead -l | -L | -v | -V | -h | --learned FILE | --selftest[=LIST]\n"
	"\n"
	"  -f FILE        configuration file (default " DEFAULT_FILE ")\n"
	"  -d DIR         ServerRoot\n"
	"  -D NAME        define NAME for <IfDefine> (repeatable); -DFOREGROUND stays in the foreground\n"
	"  -C DIRECTIVE   process DIRECTIVE before the configuration files\n"
	"  -c DIRECTIVE   process DIRECTIVE after them\n"
	"  -t             check the configuration; list what has no effect here\n"
	"  -S             virtual hosts: dispatch, isolation, profile, user and pool of each; locks of the running processes\n"
	"  -X             stay in the foreground\n"
	"  -k COMMAND     start, stop, graceful (reload), graceful-stop, restart, reopen (logs), upgrade (to the\n"
	"                 program that is installed now), status (as the second part of -S)\n"
	"  -l             what is compiled in\n"
	"  -L             the directives, as Markdown\n"
	"  -v, -V         version; with build settings and what this kernel and user make possible\n"
	"  --selftest[=LIST]\n"
	"                 attack a throw-away server of this build from inside its cells; LIST: attacks or layers, or list\n"
	"  --learned FILE what SandboxProfile learn has written to this error log, as lines for the configuration (-: stdin)\n"
	"  -h, --help     this text\n";

void cmdline_help(void)
{
	fputs(help, stdout);
}

static bool add(const char **list, size_t *n, const char *value, char option)
{
	if (*n == CMD_LIST_MAX) {
		fprintf(stderr, "bulkhead: -%c is given more than %d times\n", option, CMD_LIST_MAX);
		return false;
	}
	list[(*n)++] = value;
	return true;
}

static bool set_signal(struct cmdline *c, const char *word)
{
	static const char *const words[] = {"start", "stop", "graceful", "graceful-stop", "restart", "reopen", "upgrade", "status"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		c->signal = word;
		c->action = i == 0 ? CMD_RUN : strcmp(word, "status") == 0 ? CMD_STATUS : CMD_SIGNAL;
		return true;
	}
	fprintf(stderr, "bulkhead: -k %s: unknown; one of start, stop, graceful, graceful-stop, restart, reopen, upgrade, status\n", word);
	return false;
}

static bool set_option(struct cmdline *c, int opt, const char *arg)
{
	static const struct {
		char opt;
		enum cmd_action action;
	} actions[] = {{'t', CMD_CHECK}, {'S', CMD_VHOSTS}, {'l', CMD_COMPILED}, {'v', CMD_VERSION}, {'V', CMD_BUILD},
		{'h', CMD_HELP}, {'L', CMD_REFERENCE}};

	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (actions[i].opt == opt) {
			c->action = actions[i].action;
			return true;
		}
	switch (opt) {
	case 'f':
		c->file = arg;
		return true;
	case LONG_LEARNED:
		c->action = CMD_LEARNED;
		c->learned = arg;
		return true;
	case 'd':
		c->root = arg;
		return true;
	case 'X':
		c->foreground = true;
		return true;
	case 'D':
		if (strcmp(arg, "FOREGROUND") == 0)
			c->foreground = true;
		return add(c->defines, &c->defines_n, arg, 'D');
	case 'C':
		return add(c->before, &c->before_n, arg, 'C');
	case 'c':
		return add(c->after, &c->after_n, arg, 'c');
	case 's':
		c->selftest = arg == NULL ? "" : arg;
		c->action = CMD_SELFTEST;
		return true;
	case 'k':
		return set_signal(c, arg);
	default:
		fputs("bulkhead: see bulkhead -h\n", stderr);
		return false;
	}
}

bool cmdline_parse(struct cmdline *c, int argc, char **argv)
{
	static const struct option longs[] = {{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'v'},
		{"learned", required_argument, NULL, LONG_LEARNED},
		{"selftest", optional_argument, NULL, 's'}, {0}};
	int opt;

	*c = (struct cmdline){.action = CMD_RUN, .file = DEFAULT_FILE};
	while ((opt = getopt_long(argc, argv, "f:d:D:C:c:k:tSlLvVXh", longs, NULL)) != -1)
		if (!set_option(c, opt, optarg))
			return false;
	if (optind < argc) {
		fprintf(stderr, "bulkhead: %s: not an option; see bulkhead -h\n", argv[optind]);
		return false;
	}
	return true;
}
