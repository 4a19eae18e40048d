/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Messages between the roles: a fixed header and at most IPC_BODY_MAX octets, explicit big-endian encoding, over
 * SOCK_SEQPACKET so that one message is one datagram. Pure: no system call here.
 *
 *   octets 0..1 type   2 version (IPC_VERSION)   3 number of descriptors   4..7 body length   8..11 id   12.. body
 *
 * Requests have even types, answers odd ones. ipc_allowed() is the one table of who may send what to whom; whoever
 * sends anything else is killed by the receiver.
 */
#ifndef IPC_WIRE_H
#define IPC_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/err.h"

#define IPC_VERSION 1
#define IPC_HEAD_LEN 12
#define IPC_BODY_MAX 512
#define IPC_FDS_MAX 2

enum ipc_role { IPC_MASTER, IPC_FRONT, IPC_ZYGOTE, IPC_MAIL, IPC_LOGGER, IPC_ROLES };

/* `id` is the site's index (conf_server.index) on the master-front channel, a cell's number on the front-zygote channel. */
enum ipc_type {
	/* master -> front */
	IPC_DRAIN = 0x10,       /* finish what runs, accept nothing more, exit */
	IPC_SITE_UP = 0x11,     /* answer to SITE_WANT; one descriptor: the channel to the site's zygote */
	IPC_FRONT_LOG = 0x1a,   /* write to this instead; `id` is the place among the configuration's logs; one descriptor */
	IPC_SITE_DOWN = 0x13,   /* answer to SITE_WANT, or the zygote ended; body: reason text for the log */
	IPC_TICKET_KEY = 0x15,  /* session tickets are encrypted with this from now on; body: see ticket_key_encode() */
	/* front -> master */
	IPC_SITE_WANT = 0x12,   /* launch this site's zygote */
	IPC_SITE_KILL = 0x14,   /* this site's zygote does not obey: kill it */
	IPC_FRONT_READY = 0x16, /* loops run; the old front may be drained */
	IPC_FRONT_LOGGED = 0x1b,/* answer to FRONT_LOG: nothing goes to the old one any more */
	IPC_FRONT_DRAINS = 0x18,/* after DRAIN: no loop accepts any more */
	/* master -> zygote */
	IPC_ZYGOTE_SPEC = 0x30, /* to a spare one, once: whose it becomes; one descriptor: the sealed spec */
	IPC_ZYGOTE_MAIL = 0x32, /* the first or the second, when the spec says mail; one descriptor: the site's channel to the mail process */
	/* master -> mail */
	IPC_MAIL_SITE = 0x40,   /* messages of this site's cells come over the one descriptor that this carries */
	/* master -> log process; `id` is the number of a log */
	IPC_LOG_FD = 0x51,      /* answer to LOG_WANT; one descriptor; body: "" for a file, "|" for a pipe, facility and ident for syslog */
	IPC_LOG_NONE = 0x53,    /* answer to LOG_WANT: it cannot be opened now */
	IPC_LOG_REOPEN = 0x54,  /* files were renamed: what is open is not to be written to any more */
	IPC_LOG_GONE = 0x56,    /* nobody has these logs any more (body: numbers of four octets); they may come back as others' */
	IPC_LOG_END = 0x58,     /* write what has come, and end */
	/* log process -> master */
	IPC_LOG_WANT = 0x50,    /* lines have come for this log */
	/* front -> zygote */
	IPC_CELL_WANT = 0x20,   /* fork one more cell under this id (chosen by the front, never reused) */
	IPC_CELL_KILL = 0x22,   /* SIGKILL this cell */
	/* zygote -> front */
	IPC_ZYGOTE_READY = 0x24,/* PHP is initialised; one descriptor: read end of the pipe that is stderr of zygote and cells; body: what is off, for the log */
	IPC_CELL_UP = 0x21,     /* answer to CELL_WANT; one descriptor: the front's end of the cell's socket */
	IPC_CELL_FAIL = 0x23,   /* answer to CELL_WANT: no cell; body: reason text */
	IPC_LEARNED = 0x27,     /* what a cell called while learning; body: text for the log */
	IPC_CELL_GONE = 0x25    /* a cell ended; body: struct ipc_cell_gone */
};

/* FastCGI application status of a cell's END_REQUEST: it answers no more on this connection. */
#define IPC_CELL_LAST 0x42480001U
/* The same, but it works on behind its answer, and sends this octet when it reads again. */
#define IPC_CELL_LATER 0x42480002U
#define IPC_CELL_READY 0x42
/* It has read ABORT_REQUEST, and takes the next request. */
#define IPC_CELL_STOPPED 0x42480003U

struct ipc_msg {
	uint16_t type;
	uint32_t id;
	size_t body_len;                 /* <= IPC_BODY_MAX */
	uint8_t body[IPC_BODY_MAX];
	size_t fds_n;                    /* <= IPC_FDS_MAX; owned by whoever holds the message */
	int fds[IPC_FDS_MAX];
};

/* Body of IPC_CELL_GONE. */
struct ipc_cell_gone {
	uint8_t how;       /* 0 exited, 1 killed by a signal, 2 killed by the seccomp filter */
	uint8_t asked;     /* 1: by our own CELL_KILL */
	int32_t code;      /* exit status, signal number */
	int32_t syscall;   /* how 2: system call number when known, else -1 */
	uint64_t args[6];  /* its arguments, as the process says that they were: see sb_call_text.h for what may be shown */
};

/**
 * Encode header and body into @out (at least IPC_HEAD_LEN + IPC_BODY_MAX octets).
 * Returns octets written, or GW_ERR_RANGE when a length is out of range. Pure.
 */
ssize_t ipc_encode(const struct ipc_msg *m, uint8_t *out) GW_MUST_USE;

/**
 * Decode one datagram of @len octets that came with @fds_n descriptors; copies the body, leaves m->fds alone.
 * Returns 0 or GW_ERR_PROTO: short, long, unknown version or type, descriptor count other than the type's. Pure.
 */
int ipc_decode(const uint8_t *in, size_t len, size_t fds_n, struct ipc_msg *m) GW_MUST_USE;

/** Whether @from may send @type to @to: the table. Pure. */
int ipc_allowed(enum ipc_role from, enum ipc_role to, unsigned type);

/** Encode / decode the body of IPC_CELL_GONE; decode returns 0 or GW_ERR_PROTO. Pure. */
void ipc_put_cell_gone(struct ipc_msg *m, const struct ipc_cell_gone *g);
int ipc_get_cell_gone(const struct ipc_msg *m, struct ipc_cell_gone *g) GW_MUST_USE;

/** Fill @m: type, id and a text body (cut at IPC_BODY_MAX; NULL for none), no descriptors. */
void ipc_fill(struct ipc_msg *m, unsigned type, uint32_t id, const char *text);

/** The body of @m as text, ended by a NUL in its place; one that fills all the room loses its last octet. */
const char *ipc_text(struct ipc_msg *m);

#endif
