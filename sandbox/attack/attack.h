/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The attacks of `bulkhead --selftest`: what a tenant with native code in a cell could try, as small PHP programs that run
 * in a real cell with an extension that makes any system call (ext.c). Each says on its first line what came of it:
 * "stopped: why", "through: how far it got" or "skip: what is missing". Tables only; who runs them is gateway/cli/selftest.c.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include <stdbool.h>
#include <stddef.h>

/* What must be there for an attack to mean anything. */
enum attack_need {
	ATTACK_NEEDS_ROOT = 1,   /* sites of different users */
	ATTACK_NEEDS_X86 = 2,    /* x86_64: its other ways to make system calls */
	ATTACK_ONLY_LEGACY = 8,  /* a profile that starts programs */
	ATTACK_NOT_LEGACY = 4    /* a profile that does not allow it by intent */
};

/* Who says in the end what came of it. */
enum attack_then {
	ATTACK_THEN_NOTHING, /* the program itself */
	ATTACK_THEN_SELF,    /* .then, a second program in a later request to the same site */
	ATTACK_THEN_VICTIM,  /* .then, run by the other site */
	ATTACK_THEN_GET,     /* .then is a path to ask the attacker's site for: through if the answer holds the victim's secret */
	ATTACK_THEN_LOG      /* .then: through if a line of the error log begins with it */
};

struct attack {
	const char *name;    /* lower case, dashes; also the name of its script */
	const char *threat;  /* what the attacker would have of it */
	const char *layer;   /* what must stop it: a name of attack_layers[] */
	const char *how;     /* by which rule of that layer */
	const char *code;    /* PHP without its opening tag; attack_library goes before */
	enum attack_then end;
	const char *then;
	int status;          /* 0, or the HTTP status that means it was stopped */
	unsigned repeat;     /* how often .code is run; 0 = once */
	const char *site;    /* NULL: "attacker"; or one of the other sites in gateway/cli/selftest_server.c */
	int abi;             /* of Landlock, at least */
	unsigned needs;      /* enum attack_need */
};

struct attack_layer {
	const char *name, *what;
};

/* Layers in the order of a report. "control" is none: what must work, or nothing that failed says anything. */
extern const struct attack_layer attack_layers[];
extern const size_t attack_layers_n;

/* Functions that the attacks use; PHP without an opening tag. */
extern const char attack_library[];

/* The tables: use attack_at(). */
extern const struct attack attack_controls[], attack_calls[], attack_memory[], attack_processes[], attack_files[],
	attack_network[], attack_requests[], attack_walls[];
extern const size_t attack_controls_n, attack_calls_n, attack_memory_n, attack_processes_n, attack_files_n,
	attack_network_n, attack_requests_n, attack_walls_n;

/** The attack at @i, counted through all tables; NULL past the end. Pure. */
const struct attack *attack_at(size_t i);

/** What layer @name is, or NULL. Pure. */
const struct attack_layer *attack_layer_find(const char *name);

#endif
