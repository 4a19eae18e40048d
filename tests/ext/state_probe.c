/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PHP extension for the tests only: what a script with native code could do to its own process. It calls any function
 * of the C library, reads and writes memory, keeps data of its own in every kind of storage, and looks for traces.
 *
 * A trace is a pattern that is made from a number. Neither this file nor a script ever holds it as a constant, and it is
 * compared inverted, so that looking for it does not put it where it is looked for.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <php.h>

#define PAGE 4096u
#define PATTERN_WORDS 4u
#define ARGS_MAX 6u

/* Storage of each kind; "image" is what MINIT wrote, two pages in the middle are for mapping tricks. */
static long own_data = 11;
static long own_bss;
static __thread long own_tls;
static long ticks;
static long signals;
static long first_break;
static int inherited_fd = -1;
static char own_pages[4 * PAGE] __attribute__((aligned(PAGE)));

/* The next eight letters of a pattern (splitmix64, then letters, so that it can travel in a header). */
static uint64_t mix(uint64_t *x)
{
	uint64_t z = (*x += 0x9e3779b97f4a7c15u), letters = 0;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	for (unsigned i = 0; i < 8; i++)
		letters |= (uint64_t)('A' + ((z >> (i * 8)) & 0xff) % 26) << (i * 8);
	return letters;
}

static void fill(uint64_t seed, volatile char *at, size_t len)
{
	for (size_t i = 0; i + PATTERN_WORDS * 8 <= len; i += PATTERN_WORDS * 8) {
		uint64_t x = seed;
		for (size_t w = 0; w < PATTERN_WORDS; w++)
			*(volatile uint64_t *)(at + i + w * 8) = mix(&x);
	}
}

/* Two words in sequence, at any octet. */
static const char *find(uint64_t seed, const char *at, size_t len)
{
	uint64_t x = seed, a = ~mix(&x), b = ~mix(&x), v;

	for (size_t i = 0; i + 16 <= len; i++) {
		memcpy(&v, at + i, 8);
		if (~v != a)
			continue;
		memcpy(&v, at + i + 8, 8);
		if (~v == b)
			return at + i;
	}
	return NULL;
}

/* --- what scripts hand over by address -------------------------------------------------------------------------------- */
static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

static void *tick(void *arg)
{
	struct timespec pause = {.tv_nsec = 1000000};

	for (;;) {
		__atomic_add_fetch(&ticks, 1, __ATOMIC_RELAXED);
		nanosleep(&pause, NULL);
	}
	return arg;
}

/* sp_own(string name): int, the address (or, for "inherited" and "break", the value) of something that is ours */
PHP_FUNCTION(sp_own)
{
	char *name;
	size_t len;

	ZEND_PARSE_PARAMETERS_START(1, 1)
		Z_PARAM_STRING(name, len)
	ZEND_PARSE_PARAMETERS_END();
	const struct {
		const char *name;
		uintptr_t value;
	} things[] = {
		{"data", (uintptr_t)&own_data}, {"bss", (uintptr_t)&own_bss}, {"tls", (uintptr_t)&own_tls},
		{"ticks", (uintptr_t)&ticks}, {"signals", (uintptr_t)&signals}, {"pages", (uintptr_t)own_pages},
		{"handler", (uintptr_t)on_signal}, {"ticker", (uintptr_t)tick},
		{"inherited", (uintptr_t)inherited_fd}, {"break", (uintptr_t)first_break},
	};
	for (size_t i = 0; i < sizeof(things) / sizeof(things[0]); i++)
		if (strcmp(things[i].name, name) == 0)
			RETURN_LONG((zend_long)things[i].value);
	zend_throw_error(NULL, "sp_own: no %s", name);
}

/* sp_symbol(string name): int, address of a global symbol, 0 if there is none */
PHP_FUNCTION(sp_symbol)
{
	char *name;
	size_t len;

	ZEND_PARSE_PARAMETERS_START(1, 1)
		Z_PARAM_STRING(name, len)
	ZEND_PARSE_PARAMETERS_END();
	RETURN_LONG((zend_long)(uintptr_t)dlsym(RTLD_DEFAULT, name));
}

/* sp_call(string name, int|string ...args): int, the result; a string is passed as the address of its octets */
PHP_FUNCTION(sp_call)
{
	char *name;
	size_t len;
	zval *args;
	uint32_t n;
	long a[ARGS_MAX] = {0};
	/* Every integer and pointer argument travels in a register: more than the callee takes do no harm. */
	long (*f)(long, ...);

	ZEND_PARSE_PARAMETERS_START(1, -1)
		Z_PARAM_STRING(name, len)
		Z_PARAM_VARIADIC('*', args, n)
	ZEND_PARSE_PARAMETERS_END();
	void *at = dlsym(RTLD_DEFAULT, name);
	if (at == NULL || n > ARGS_MAX) {
		zend_throw_error(NULL, "sp_call: no %s, or too many arguments", name);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		a[i] = Z_TYPE(args[i]) == IS_STRING ? (long)(uintptr_t)Z_STRVAL(args[i]) : zval_get_long(&args[i]);
	memcpy(&f, &at, sizeof(f));
	errno = 0;
	long v = f(a[0], a[1], a[2], a[3], a[4], a[5]);
	/* What is not a pointer (none lies that low) is an int, of which the upper half says nothing. */
	RETURN_LONG((unsigned long)v <= UINT32_MAX ? (int)v : v);
}

/* sp_errno(): int, what the last call left, if nothing has happened since */
PHP_FUNCTION(sp_errno)
{
	int err = errno;

	ZEND_PARSE_PARAMETERS_NONE();
	RETURN_LONG(err);
}

/* sp_peek(int at, int len): string */
PHP_FUNCTION(sp_peek)
{
	zend_long at, len;

	ZEND_PARSE_PARAMETERS_START(2, 2)
		Z_PARAM_LONG(at)
		Z_PARAM_LONG(len)
	ZEND_PARSE_PARAMETERS_END();
	RETURN_STRINGL((const char *)(uintptr_t)at, (size_t)len);
}

/* sp_poke(int at, string octets) */
PHP_FUNCTION(sp_poke)
{
	zend_long at;
	char *octets;
	size_t len;

	ZEND_PARSE_PARAMETERS_START(2, 2)
		Z_PARAM_LONG(at)
		Z_PARAM_STRING(octets, len)
	ZEND_PARSE_PARAMETERS_END();
	memcpy((void *)(uintptr_t)at, octets, len);
}

/* sp_plant(int seed, int at, int len): the pattern, again and again */
PHP_FUNCTION(sp_plant)
{
	zend_long seed, at, len;

	ZEND_PARSE_PARAMETERS_START(3, 3)
		Z_PARAM_LONG(seed)
		Z_PARAM_LONG(at)
		Z_PARAM_LONG(len)
	ZEND_PARSE_PARAMETERS_END();
	fill((uint64_t)seed, (char *)(uintptr_t)at, (size_t)len);
}

/* sp_has(int seed, int at, int len): bool, is the pattern in there */
PHP_FUNCTION(sp_has)
{
	zend_long seed, at, len;

	ZEND_PARSE_PARAMETERS_START(3, 3)
		Z_PARAM_LONG(seed)
		Z_PARAM_LONG(at)
		Z_PARAM_LONG(len)
	ZEND_PARSE_PARAMETERS_END();
	RETURN_BOOL(find((uint64_t)seed, (const char *)(uintptr_t)at, (size_t)len) != NULL);
}

/* sp_pattern(int seed): string, for the few cases in which the script itself is to hold it */
PHP_FUNCTION(sp_pattern)
{
	zend_long seed;

	ZEND_PARSE_PARAMETERS_START(1, 1)
		Z_PARAM_LONG(seed)
	ZEND_PARSE_PARAMETERS_END();
	zend_string *s = zend_string_alloc(PATTERN_WORDS * 8, 0);
	fill((uint64_t)seed, ZSTR_VAL(s), ZSTR_LEN(s));
	ZSTR_VAL(s)[ZSTR_LEN(s)] = '\0';
	RETURN_STR(s);
}

static void __attribute__((noinline)) stack_put(uint64_t seed)
{
	volatile char deep[64 * 1024];

	fill(seed, deep, sizeof(deep));
}

static bool __attribute__((noinline)) stack_has(uint64_t seed)
{
	char deep[64 * 1024];

	/* Read as it lies: that it was never written is the point. */
	__asm__ volatile("" : "=m"(deep));
	return find(seed, deep, sizeof(deep)) != NULL;
}

/* sp_stack(int seed, bool put): bool, fill the stack below, or look there */
PHP_FUNCTION(sp_stack)
{
	zend_long seed;
	bool put;

	ZEND_PARSE_PARAMETERS_START(2, 2)
		Z_PARAM_LONG(seed)
		Z_PARAM_BOOL(put)
	ZEND_PARSE_PARAMETERS_END();
	if (put)
		stack_put((uint64_t)seed);
	RETURN_BOOL(put || stack_has((uint64_t)seed));
}

/* Only pages that are there: reading a hole of shared memory would fill it. */
static const char *find_resident(uint64_t seed, const char *from, const char *to)
{
	static unsigned char there[1024];
	const char *hit = NULL;

	for (const char *at = from; at < to && hit == NULL;) {
		size_t len = (size_t)(to - at) < sizeof(there) * PAGE ? (size_t)(to - at) : sizeof(there) * PAGE;
		if (mincore((void *)(uintptr_t)at, len, there) == -1)
			return NULL;
		for (size_t p = 0; p < len / PAGE && hit == NULL;) {
			size_t q = p;
			while (q < len / PAGE && (there[q] & 1) != 0)
				q++;
			hit = find(seed, at + p * PAGE, (q - p) * PAGE);
			p = q + 1;
		}
		at += len;
	}
	return hit;
}

/* sp_scan(int seed): array of the mappings that hold the pattern; false without /proc */
PHP_FUNCTION(sp_scan)
{
	zend_long seed;
	unsigned long from, to;
	char line[8192], perms[8];

	ZEND_PARSE_PARAMETERS_START(1, 1)
		Z_PARAM_LONG(seed)
	ZEND_PARSE_PARAMETERS_END();
	FILE *maps = fopen("/proc/self/maps", "re");
	if (maps == NULL)
		RETURN_FALSE;
	array_init(return_value);
	while (fgets(line, sizeof(line), maps) != NULL) {
		int at = 0;
		if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %n", &from, &to, perms, &at) < 3 || perms[0] != 'r')
			continue;
		/* What nobody can write holds no trace; the kernel's own pages are nobody's. */
		if ((perms[1] != 'w' && perms[3] != 's') || strstr(line, "[v") != NULL)
			continue;
		line[strcspn(line, "\n")] = '\0';
		const char *hit = find_resident((uint64_t)seed, (const char *)from, (const char *)to);
		if (hit != NULL)
			add_next_index_str(return_value, strpprintf(0, "%s %s +%lx", perms, line + at, (unsigned long)((uintptr_t)hit - from)));
	}
	fclose(maps);
}

ZEND_BEGIN_ARG_INFO_EX(any_args, 0, 0, 0)
	ZEND_ARG_VARIADIC_INFO(0, args)
ZEND_END_ARG_INFO()

static const zend_function_entry functions[] = {
	PHP_FE(sp_own, any_args) PHP_FE(sp_symbol, any_args) PHP_FE(sp_call, any_args) PHP_FE(sp_errno, any_args)
	PHP_FE(sp_peek, any_args) PHP_FE(sp_poke, any_args) PHP_FE(sp_plant, any_args) PHP_FE(sp_has, any_args)
	PHP_FE(sp_pattern, any_args) PHP_FE(sp_stack, any_args) PHP_FE(sp_scan, any_args) PHP_FE_END};

static PHP_MINIT_FUNCTION(state_probe)
{
	(void)type;
	(void)module_number;
	first_break = (long)(uintptr_t)sbrk(0);
	memset(own_pages, 'i', sizeof(own_pages));
	inherited_fd = memfd_create("state_probe", MFD_CLOEXEC);
	if (inherited_fd != -1 && ftruncate(inherited_fd, (off_t)PAGE) == -1)
		return FAILURE;
	return SUCCESS;
}

zend_module_entry state_probe_module_entry = {
	STANDARD_MODULE_HEADER, "state_probe", functions, PHP_MINIT(state_probe), NULL, NULL, NULL, NULL, "1",
	STANDARD_MODULE_PROPERTIES};

ZEND_GET_MODULE(state_probe)
