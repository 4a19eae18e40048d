/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of mail() that need no socket: addresses, fields, the command line, replies, the dialog, the text on the wire, the rate. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/mail/mail_addr.h"
#include "sandbox/mail/mail_compose.h"
#include "sandbox/mail/mail_lock.h"
#include "sandbox/mail/mail_rate.h"
#include "sandbox/mail/mail_wire.h"
#include "sandbox/mail/smtp_dialog.h"
#include "sandbox/mail/smtp_reply.h"
#include "sandbox/mail/smtp_text.h"
#include "tests/unit/unit.h"

/* --- addresses ----------------------------------------------------------------------------------------------------------- */

static int collect(void *arg, const char *addr, size_t len)
{
	struct buf *out = arg;

	return buf_append(out, addr, len) != 0 ? GW_ERR_NOMEM : buf_append(out, "|", 1);
}

static const struct {
	const char *list, *want; /* NULL: refused */
} lists[] = {
	{"a@x.org", "a@x.org|"}, {"A B <a@x.org>, b@x.org", "a@x.org|b@x.org|"}, {"", ""}, {" , ,, ", ""}, {"root", "root|"},
	{"\"Last, First\" <a@x.org>", "a@x.org|"}, {"a@x.org (comment, (nested) \\) more)", "a@x.org|"}, {"<a@x.org>", "a@x.org|"},
	{"a@x.org,\r\n\tb@x.org", "a@x.org|b@x.org|"}, {"Team: a@x.org, B <b@x.org>;", "a@x.org|b@x.org|"}, {"none:;", ""},
	{"\"q u\"@x.org", "\"q u\"@x.org|"}, {"a@[127.0.0.1]", "a@[127.0.0.1]|"}, {"a@[IPv6:::1]", "a@[IPv6:::1]|"}, {"<@route:a@x.org>", "a@x.org|"},
	{"a . b @ x.org", "a.b@x.org|"}, {"J\xc3\xb6rg <j@x.org>", "j@x.org|"}, {"=?UTF-8?Q?a=2Cb?= <j@x.org>", "j@x.org|"},
	{"two words", NULL}, {"<a@x.org", NULL}, {"a@x.org>", NULL}, {"<>", NULL}, {"a@x.org <b@x.org> c", NULL}, {"\"open", NULL}, {"(open", NULL},
	{"a@x.org Bcc: b@x.org", NULL}, {"-oX@x.org", NULL}, {"a@x.org\x01", NULL}, {"<a@x.org> <b@x.org>", NULL}, {"<a@x.org\r\nRCPT>", "a@x.orgRCPT|"},
};

START_TEST(lists_of_addresses)
{
	struct buf out;

	buf_init(&out);
	int err = mail_addr_list(lists[_i].list, strlen(lists[_i].list), collect, &out);
	if (lists[_i].want == NULL) {
		ck_assert_msg(err == GW_ERR_PROTO, "%s", lists[_i].list);
	} else {
		ck_assert_msg(err == 0, "%s", lists[_i].list);
		ck_assert_int_eq(buf_append(&out, "", 1), 0);
		ck_assert_str_eq((char *)buf_head(&out), lists[_i].want);
	}
	buf_fini(&out);
}
END_TEST

START_TEST(what_may_stand_on_a_line)
{
	static const char *const good[] = {"a@x.org", "root", "a+b=c@x.org", "\"a b\"@x.org", "\"a\\\"b\"@x", "a@[::1]", "j\xc3\xb6@x.org"};
	static const char *const bad[] = {"", "a b@x.org", "a@x.org>", "<a@x.org", "a@x\r\n", "a@x\n", "\"a@x", "\"a\r\"@x", "a,b@x", "-a@x", "a@x\x7f", "a;b", "a:b@x"};
	char longest[MAIL_ADDR_MAX + 2];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ck_assert_msg(mail_addr_ok(good[i], strlen(good[i])), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!mail_addr_ok(bad[i], strlen(bad[i])), "%s", bad[i]);
	ck_assert(!mail_addr_ok("a\0b", 3));
	memset(longest, 'a', sizeof(longest));
	ck_assert(mail_addr_ok(longest, MAIL_ADDR_MAX));
	ck_assert(!mail_addr_ok(longest, MAIL_ADDR_MAX + 1));
}
END_TEST

START_TEST(senders_and_rules)
{
	ck_assert(mail_addr_fits("a@x.org", "any") && mail_addr_fits("a@X.org", "@x.org") && mail_addr_fits("A@x.org", "a@x.org"));
	ck_assert(!mail_addr_fits("a@sub.x.org", "@x.org") && !mail_addr_fits("a@xx.org", "@x.org") && !mail_addr_fits("a", "@x.org") &&
		  !mail_addr_fits("b@x.org", "a@x.org") && !mail_addr_fits("\"a@x.org\"@evil.org", "@x.org"));
}
END_TEST

/* --- messages ------------------------------------------------------------------------------------------------------------ */

static const struct mail_facts facts = {.date = "DATE", .message_id = "ID@x", .from = "site@x"};

static const struct {
	const char *in, *rcpts, *out; /* rcpts NULL: refused, out: why */
} messages[] = {
	{"To: a@x\r\nSubject: s\r\n\r\nbody\r\n", "a@x|", "To: a@x\r\nSubject: s\r\nFrom: site@x\r\nDate: DATE\r\nMessage-ID: <ID@x>\r\n\r\nbody\r\n"},
	{"To: a@x\nbcc : b@x,\n c@x\nFrom: f@x\ndate: d\nMESSAGE-ID: <m>\n\nb", "a@x|b@x|c@x|", "To: a@x\nFrom: f@x\ndate: d\nMESSAGE-ID: <m>\n\r\nb"},
	{"To: a@x, A@X, a@x\nCc: a@x\n\n", "a@x|", "To: a@x, A@X, a@x\nCc: a@x\nFrom: site@x\r\nDate: DATE\r\nMessage-ID: <ID@x>\r\n\r\n"},
	{"To: \nBcc: b@x\nFrom: f\nDate: d\nMessage-Id: m\n\nb", "b@x|", "From: f\nDate: d\nMessage-Id: m\nTo: undisclosed-recipients:;\r\n\r\nb"},
	/* A line that is no field ends the fields: what follows is the body, and names nobody. */
	{"To: a@x\nFrom: f\nDate: d\nMessage-ID: m\nno field\nBcc: b@x\n", "a@x|", "To: a@x\nFrom: f\nDate: d\nMessage-ID: m\n\r\nno field\nBcc: b@x\n"},
	{"To: a@x", "a@x|", "To: a@x\r\nFrom: site@x\r\nDate: DATE\r\nMessage-ID: <ID@x>\r\n\r\n"},
	{"Subject: s\n\nTo: a@x\n", NULL, "nobody to send to"}, {"", NULL, "nobody to send to"},
	{"To: two words\n\n", NULL, "To, Cc or Bcc is not a list of addresses"}, {"Bcc: <a\n\n", NULL, "To, Cc or Bcc is not a list of addresses"},
};

START_TEST(messages_are_composed)
{
	struct buf rcpts, out;
	const char *why;

	buf_init(&rcpts);
	buf_init(&out);
	int err = mail_compose(messages[_i].in, strlen(messages[_i].in), &facts, &rcpts, &out, &why);
	if (messages[_i].rcpts == NULL) {
		ck_assert_int_eq(err, GW_ERR_PROTO);
		ck_assert_str_eq(why, messages[_i].out);
	} else {
		ck_assert_int_eq(err, 0);
		for (size_t i = 0; i < buf_unread(&rcpts); i++)
			if (buf_head(&rcpts)[i] == '\0')
				buf_head(&rcpts)[i] = '|';
		ck_assert_int_eq(buf_append(&rcpts, "", 1), 0);
		ck_assert_int_eq(buf_append(&out, "", 1), 0);
		ck_assert_str_eq((char *)buf_head(&rcpts), messages[_i].rcpts);
		ck_assert_str_eq((char *)buf_head(&out), messages[_i].out);
	}
	buf_fini(&rcpts);
	buf_fini(&out);
}
END_TEST

START_TEST(too_many_recipients)
{
	struct buf in, rcpts, out;
	const char *why;

	buf_init(&in);
	buf_init(&rcpts);
	buf_init(&out);
	for (int i = 0; i <= MAIL_RCPTS_MAX; i++)
		ck_assert_int_eq(buf_printf(&in, "%s%d@x", i == 0 ? "To: " : ",", i), 0);
	ck_assert_int_eq(mail_compose((char *)buf_head(&in), buf_unread(&in), &facts, &rcpts, &out, &why), GW_ERR_PROTO);
	ck_assert_str_eq(why, "too many recipients");
	buf_fini(&in);
	buf_fini(&rcpts);
	buf_fini(&out);
}
END_TEST

static const struct {
	const char *command, *sender; /* NULL: refused */
} commands[] = {
	{"bulkhead-mail -t -i", ""}, {"m -t -fa@x", "a@x"}, {"m -t -f a@x", "a@x"}, {"m -ra@x -oi", "a@x"}, {"m -f'a@x'", "a@x"}, {"m -f\"a\"@x", "a@x"},
	{"m -fa\\@x", "a@x"}, {"m -f<a@x>", "a@x"}, {"m -f\\<a@x\\>", "a@x"}, {"m -fa@x -fb@x", "b@x"}, {"m -F 'A B' -fa@x", "a@x"}, {"m a@x", ""},
	{"m -f'a b'", NULL}, {"m -f", NULL}, {"m -f'a\nRCPT TO'", NULL}, {"m -f-x", NULL},
};

START_TEST(sender_of_a_command_line)
{
	char out[MAIL_ADDR_MAX + 1];
	int err = mail_command_sender(commands[_i].command, out, sizeof(out));

	if (commands[_i].sender == NULL) {
		ck_assert_int_eq(err, GW_ERR_PROTO);
	} else {
		ck_assert_int_eq(err, 0);
		ck_assert_str_eq(out, commands[_i].sender);
	}
}
END_TEST

/* --- the wire to a relay ------------------------------------------------------------------------------------------------- */

static const struct {
	const char *in;
	ssize_t used;
	unsigned code, extensions;
	const char *text;
} replies[] = {
	{"250 Ok\r\nrest", 8, 250, 0, "Ok"}, {"250\r\n", 5, 250, 0, ""}, {"220-a\r\n220 b\n", 13, 220, 0, "b"},
	{"250-x\r\n250-8bitmime\r\n250-SIZE 10\r\n250 HELP\r\n", 44, 250, SMTP_8BITMIME | SMTP_SIZE, "HELP"}, {"250 8BITMIME\r\n", 14, 250, 0, "8BITMIME"},
	{"250-x\r\n250 SIZEABLE\r\n", 21, 250, 0, "SIZEABLE"}, {"599 a\tb\r\n", 9, 599, 0, "a?b"}, {"25", 0, 0, 0, ""}, {"250-a\r\n", 0, 0, 0, ""},
	{"250-a\r\n251 b\r\n", GW_ERR_PROTO, 0, 0, ""}, {"abc\r\n", GW_ERR_PROTO, 0, 0, ""}, {"150 a\r\n", GW_ERR_PROTO, 0, 0, ""},
	{"600 a\r\n", GW_ERR_PROTO, 0, 0, ""}, {"250x\r\n", GW_ERR_PROTO, 0, 0, ""}, {"\r\n", GW_ERR_PROTO, 0, 0, ""},
};

START_TEST(replies_of_a_relay)
{
	struct smtp_reply r = {.code = 0};
	ssize_t used = smtp_reply_decode(replies[_i].in, strlen(replies[_i].in), &r);

	ck_assert_int_eq(used, replies[_i].used);
	if (used > 0) {
		ck_assert_uint_eq(r.code, replies[_i].code);
		ck_assert_uint_eq(r.extensions, replies[_i].extensions);
		ck_assert_str_eq(r.text, replies[_i].text);
	}
}
END_TEST

START_TEST(replies_without_end)
{
	static char in[SMTP_REPLY_MAX + 16];
	struct smtp_reply r;

	memset(in, '2', sizeof(in));
	ck_assert_int_eq(smtp_reply_decode(in, SMTP_LINE_MAX - 1, &r), 0);
	ck_assert_int_eq(smtp_reply_decode(in, SMTP_LINE_MAX, &r), GW_ERR_PROTO);
	for (size_t i = 0; i + 8 <= sizeof(in); i += 8)
		memcpy(in + i, "250-aa\r\n", 8);
	ck_assert_int_eq(smtp_reply_decode(in, SMTP_REPLY_MAX - 8, &r), 0);
	ck_assert_int_eq(smtp_reply_decode(in, SMTP_REPLY_MAX + 8, &r), GW_ERR_PROTO);
}
END_TEST

static const struct {
	const char *said;    /* by the relay, up to a | at which the message is sent */
	const char *heard;
	bool lmtp;
	enum mail_status status;
	const char *text;
} dialogs[] = {
	{"220 a\n250 a\n250 k\n250 k\n250 k\n354 go\n|250 queued\n", "EHLO h\r\nMAIL FROM:<f@x>\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nQUIT\r\n", false,
		MAIL_ACCEPTED, "250 queued"},
	{"220 a\n250-a\n250-SIZE\n250 8BITMIME\n250 k\n251 fwd\n250 k\n354 go\n|250 q\n",
		"EHLO h\r\nMAIL FROM:<f@x> SIZE=99 BODY=8BITMIME\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nQUIT\r\n", false, MAIL_ACCEPTED, "250 q"},
	{"220 a\n502 ?\n250 a\n250 k\n250 k\n250 k\n354 go\n|450 later\n",
		"EHLO h\r\nHELO h\r\nMAIL FROM:<f@x>\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nQUIT\r\n", false, MAIL_FAILED, "450 later"},
	{"220 a\n250 a\n250 k\n250 k\n550 no\n", "EHLO h\r\nMAIL FROM:<f@x>\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nQUIT\r\n", false, MAIL_REFUSED,
		"the relay answers RCPT TO <b@x>: 550 no"},
	{"554 no\n", "QUIT\r\n", false, MAIL_REFUSED, "the relay answers greeting: 554 no"},
	{"220 a\n250 a\n250 k\n250 k\n250 k\n250 odd\n", "EHLO h\r\nMAIL FROM:<f@x>\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nQUIT\r\n", false, MAIL_FAILED,
		"the relay answers DATA: 250 odd"},
	{"220 a\n500 no\n", "LHLO h\r\nQUIT\r\n", true, MAIL_REFUSED, "the relay answers EHLO: 500 no"},
	{"220 a\n250 a\n250 k\n250 k\n250 k\n354 go\n|250 one\n550 two\n", "LHLO h\r\nMAIL FROM:<f@x>\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nQUIT\r\n", true,
		MAIL_ACCEPTED, "1 of 2 recipients took it"},
	{"220 a\n250 a\n250 k\n250 k\n250 k\n354 go\n|450 one\n550 two\n", "LHLO h\r\nMAIL FROM:<f@x>\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nQUIT\r\n", true,
		MAIL_REFUSED, "550 two"},
};

START_TEST(dialog_with_a_relay)
{
	struct smtp_dialog d = {.lmtp = dialogs[_i].lmtp, .helo = "h", .from = "f@x", .rcpts = "a@x\0b@x", .rcpts_n = 2, .message_len = 99};
	struct smtp_reply r;
	struct buf out;

	buf_init(&out);
	smtp_dialog_init(&d);
	for (const char *at = dialogs[_i].said; *at != '\0';) {
		ck_assert_int_ne(d.step, SMTP_END);
		if (*at == '|') {
			ck_assert_int_eq(d.step, SMTP_BODY);
			smtp_dialog_sent(&d);
			at++;
		}
		ssize_t used = smtp_reply_decode(at, strcspn(at, "|"), &r);
		ck_assert_int_gt(used, 0);
		at += used;
		ck_assert_int_eq(smtp_dialog_reply(&d, &r, &out), 0);
	}
	ck_assert_int_eq(d.step, SMTP_END);
	ck_assert_int_eq(buf_append(&out, "", 1), 0);
	ck_assert_str_eq((char *)buf_head(&out), dialogs[_i].heard);
	ck_assert_int_eq(d.answer.status, dialogs[_i].status);
	ck_assert_str_eq(d.answer.text, dialogs[_i].text);
	buf_fini(&out);
}
END_TEST

static const struct {
	const char *in, *out;
} texts[] = {
	{"", ".\r\n"}, {"a", "a\r\n.\r\n"}, {"a\n", "a\r\n.\r\n"}, {"a\r\nb", "a\r\nb\r\n.\r\n"}, {".", "..\r\n.\r\n"}, {"a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"},
	{"a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"}, {"\r\n.\r\n", "\r\n..\r\n.\r\n"}, {"a\n\r.\r\n", "a\r\n\r\n..\r\n.\r\n"}, {"a\r", "a\r\n.\r\n"}, {"a\r\r\n", "a\r\n\r\n.\r\n"},
	{"..x", "...x\r\n.\r\n"}, {"x.\n.", "x.\r\n..\r\n.\r\n"},
};

START_TEST(text_on_the_wire)
{
	for (size_t piece = 1; piece < 4; piece++) {
		const char *in = texts[_i].in;
		size_t len = strlen(in);
		struct smtp_text t;
		struct buf out;

		buf_init(&out);
		smtp_text_init(&t);
		for (size_t at = 0; at < len; at += piece)
			ck_assert_int_eq(smtp_text_put(&t, in + at, len - at < piece ? len - at : piece, &out), 0);
		ck_assert_int_eq(smtp_text_end(&t, &out), 0);
		ck_assert_int_eq(buf_append(&out, "", 1), 0);
		ck_assert_str_eq((char *)buf_head(&out), texts[_i].out);
		buf_fini(&out);
	}
}
END_TEST

START_TEST(long_lines_are_broken)
{
	char in[3000];
	struct smtp_text t;
	struct buf out;
	size_t longest = 0, lines = 0;

	memset(in, 'a', sizeof(in));
	buf_init(&out);
	smtp_text_init(&t);
	ck_assert_int_eq(smtp_text_put(&t, in, sizeof(in), &out), 0);
	ck_assert_int_eq(smtp_text_end(&t, &out), 0);
	for (const char *at = (char *)buf_head(&out), *end = at + buf_unread(&out); at < end; lines++) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		ck_assert_ptr_nonnull(lf);
		size_t n = (size_t)(lf - at) - 1;
		longest = n > longest ? n : longest;
		at = lf + 1;
	}
	ck_assert_uint_eq(longest, SMTP_TEXT_LINE_MAX);
	ck_assert_uint_eq(lines, 5);
	buf_fini(&out);
}
END_TEST

/* --- the rate ------------------------------------------------------------------------------------------------------------ */

START_TEST(rate_of_mails)
{
	struct mail_rate r;

	mail_rate_init(&r, 3, 60000, 1000);
	ck_assert(mail_rate_take(&r, 2, 1000));
	ck_assert(!mail_rate_take(&r, 2, 1000));
	ck_assert(mail_rate_take(&r, 1, 1000));
	ck_assert_uint_eq(mail_rate_wait(&r, 1, 1000), 20000);
	ck_assert(!mail_rate_take(&r, 1, 20999));
	ck_assert(mail_rate_take(&r, 1, 21000));
	ck_assert(!mail_rate_take(&r, 1, 21000));
	mail_rate_return(&r, 1);
	ck_assert(mail_rate_take(&r, 1, 21000));
	/* Never more than a full bucket, however long nobody came; never more at once than it holds. */
	ck_assert(mail_rate_take(&r, 3, 100000000));
	ck_assert(!mail_rate_take(&r, 1, 100000000));
	ck_assert_uint_eq(mail_rate_wait(&r, 4, 100000000), UINT64_MAX);
	/* A clock that stands still or goes back gives nothing. */
	ck_assert(!mail_rate_take(&r, 1, 5));
	mail_rate_init(&r, 0, 0, 0);
	ck_assert(mail_rate_take(&r, 1000000, 0));
	ck_assert_uint_eq(mail_rate_wait(&r, 1000000, 0), 0);
}
END_TEST

/* --- the locks ------------------------------------------------------------------------------------------------------------ */

static int listener(struct sockaddr_in *sa)
{
	socklen_t len = sizeof(*sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*sa = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	ck_assert_int_eq(bind(fd, (struct sockaddr *)sa, sizeof(*sa)), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)sa, &len), 0);
	return fd;
}

static int connect_error(const struct sockaddr_in *sa)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err = fd == -1 || connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0 || errno == EINPROGRESS ? 0 : errno;

	if (fd == -1)
		err = errno;
	close(fd);
	return err;
}

static struct sockaddr_in relay_addr, other_addr;

/* What a locked process may and may not; the answer is a bit for each surprise. */
static int locked_process(bool ports)
{
	int surprises = 0;

	surprises |= connect_error(&relay_addr) != 0 ? 1 : 0;
	surprises |= ports && connect_error(&other_addr) != EACCES ? 2 : 0;
	surprises |= open("/dev/null", O_RDONLY) != -1 || (errno != EPERM && errno != EACCES) ? 4 : 0;
	surprises |= kill(getppid(), 0) != -1 ? 8 : 0;
#ifndef BH_SANITIZED
	surprises |= socket(AF_INET, SOCK_DGRAM, 0) != -1 ? 16 : 0;
	surprises |= mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ? 32 : 0;
#endif
	return surprises;
}

START_TEST(locks_of_the_mail_process)
{
	struct conf_mail_relay relay = {.lmtp = false};
	struct conf_server server = {.name = "a.test", .mail_relay = &relay}, *servers[] = {&server};
	struct conf c = {.servers_n = 1, .servers = servers};
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	int a = listener(&relay_addr), b = listener(&other_addr), status;

	memcpy(&relay.addr.u, &relay_addr, sizeof(relay_addr));
	relay.addr.len = sizeof(relay_addr);
	ck_assert_int_eq(connect_error(&other_addr), 0); /* without the locks */
	pid_t pid = fork();
	if (pid == 0) {
		mail_lock(&c, false);
		_exit(locked_process(abi >= 4));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
#ifndef BH_SANITIZED
	pid = fork();
	if (pid == 0) {
		mail_lock(&c, false);
		execl("/bin/true", "true", (char *)NULL);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
#endif
	close(a);
	close(b);
}
END_TEST

static Suite *mail_suite(void)
{
	Suite *s = suite_create("mail");
	TCase *tc = tcase_create("mail");

#define LOOP(test, table) tcase_add_loop_test(tc, test, 0, (int)(sizeof(table) / sizeof(*(table))))
	LOOP(lists_of_addresses, lists);
	tcase_add_test(tc, what_may_stand_on_a_line);
	tcase_add_test(tc, senders_and_rules);
	LOOP(messages_are_composed, messages);
	tcase_add_test(tc, too_many_recipients);
	LOOP(sender_of_a_command_line, commands);
	LOOP(replies_of_a_relay, replies);
	tcase_add_test(tc, replies_without_end);
	LOOP(dialog_with_a_relay, dialogs);
	LOOP(text_on_the_wire, texts);
	tcase_add_test(tc, long_lines_are_broken);
	tcase_add_test(tc, rate_of_mails);
	tcase_add_test(tc, locks_of_the_mail_process);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(mail_suite)
