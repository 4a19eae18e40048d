/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The master's ear for "bulkhead -k": a unix socket beside the PidFile, so that who asks for something learns how it went.
 * Only root and the server's own user are listened to (SO_PEERCRED), and of what they say only one word: the answer is the
 * work. Signals do the same without an answer.
 *
 * One message each way at a time, SOCK_SEQPACKET. From the client: the word. To it: 'T' and text for its standard error,
 * any number of them, then 'D' and one octet, its exit status.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <sys/types.h>

#include "gateway/base/err.h"
#include "gateway/base/loop.h"

#define CONTROL_WORD_MAX 32

/* What is asked for; each is answered when it is done. */
enum control_word { CONTROL_GRACEFUL, CONTROL_UPGRADE, CONTROL_REOPEN, CONTROL_SITES, CONTROL_WORDS };

/** The words, as -k takes them; "sites", which -S asks, is answered with a line for each file that is not served as it is. */
extern const char *const control_words[CONTROL_WORDS];

struct control_client;

struct control {
	struct loop *loop;
	struct loop_io listener;         /* fd -1: none */
	char *path;
	struct control_client *clients;
	/* Somebody asks for @word; answered with control_say() and control_done(). */
	void (*ask)(struct control *c, enum control_word word);
};

/** Listen beside @pid_file. Returns 0 or GW_ERR_SYS: the server works without. */
int control_open(struct control *c, struct loop *l, const char *pid_file) GW_MUST_USE;

/** Stop listening; removes the socket's name when @remove. Clients without an answer see the end of the connection. */
void control_close(struct control *c, bool remove);

/** From now on what is asked for again waits for the next time @word is done: those who wait now are who this is done for. */
void control_begin(struct control *c, enum control_word word);

/** Who has asked for @word, and is not answered, has asked for @other, and that did not begin. */
void control_be(struct control *c, enum control_word word, enum control_word other);

/** Text for everybody for whom @word is being done. */
void control_say(struct control *c, enum control_word word, const char *fmt, ...) GW_PRINTF(3, 4);

/** It is done: exit status 0 or 1 for them. */
void control_done(struct control *c, enum control_word word, bool ok);

/**
 * Client: ask the server whose PidFile is @pid_file for @word and wait for the end; its text goes to standard error.
 * Returns the exit status, or -1 when the server has no ear (then nothing was asked for).
 */
int control_ask(const char *pid_file, const char *word);

#endif
