/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_addr.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const char *parse_unix(struct arena *a, const char *text, struct conf_addr *out)
{
	const char *path = text + 5;
	size_t n = strlen(path);

	if (path[0] != '/')
		return "a unix socket needs an absolute path: unix:/run/name.sock";
	if (n >= sizeof(out->u.un.sun_path))
		return "the path of a unix socket has at most 107 octets";
	out->u.un.sun_family = AF_UNIX;
	memcpy(out->u.un.sun_path, path, n + 1);
	out->len = (socklen_t)sizeof(out->u.un);
	out->text = arena_strdup(a, text);
	return out->text == NULL ? "out of memory" : NULL;
}

static const char *parse_port(const char *s, unsigned want, uint16_t *port)
{
	unsigned long v = 0;
	const char *p = s;

	*port = 0;
	if (*s == '\0' || strcmp(s, "*") == 0)
		return (want & CONF_ADDR_NO_PORT) != 0 ? NULL : "the port is missing";
	for (; *p >= '0' && *p <= '9' && p - s < 6; p++)
		v = v * 10 + (unsigned long)(*p - '0');
	if (*p != '\0' || v < 1 || v > 65535)
		return "the port must be a number from 1 to 65535";
	*port = (uint16_t)v;
	return NULL;
}

static const char *resolve(struct arena *a, const char *host, uint16_t port, struct conf_addr *out)
{
	struct addrinfo hint = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
	int rc = getaddrinfo(host, NULL, &hint, &found);
	const char *why = "the name resolves to no internet address";

	if (rc != 0) {
		why = arena_printf(a, "'%s' cannot be resolved: %s", host, gai_strerror(rc));
		return why == NULL ? "out of memory" : why;
	}
	for (const struct addrinfo *ai = found; ai != NULL; ai = ai->ai_next) {
		if (ai->ai_addrlen > sizeof(out->u.ss) || (ai->ai_family != AF_INET && ai->ai_family != AF_INET6))
			continue;
		memcpy(&out->u.ss, ai->ai_addr, ai->ai_addrlen);
		out->len = ai->ai_addrlen;
		if (ai->ai_family == AF_INET)
			((struct sockaddr_in *)(void *)&out->u.ss)->sin_port = htons(port);
		else
			((struct sockaddr_in6 *)(void *)&out->u.ss)->sin6_port = htons(port);
		why = NULL;
		break;
	}
	freeaddrinfo(found);
	return why;
}

static const char *set_host(struct arena *a, const char *host, bool v6, uint16_t port, unsigned want, struct conf_addr *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&out->u.ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&out->u.ss;

	if (v6) {
		if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
			return "not an IPv6 address between [ and ]";
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		out->len = (socklen_t)sizeof(*in6);
		return NULL;
	}
	if (strcmp(host, "*") == 0 && (want & CONF_ADDR_ANY) != 0) {
		in->sin_family = AF_UNSPEC;
		in->sin_port = htons(port);
		out->len = (socklen_t)sizeof(*in);
		return NULL;
	}
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		out->len = (socklen_t)sizeof(*in);
		return NULL;
	}
	if ((want & CONF_ADDR_NAME) == 0 || host[0] == '\0')
		return "not an address: write 192.0.2.1:80 or [2001:db8::1]:80";
	return resolve(a, host, port, out);
}

const char *conf_addr_parse(struct arena *a, const char *text, unsigned want, struct conf_addr *out)
{
	const char *colon, *why, *port_text = "";
	char *host;
	uint16_t port;
	bool v6 = text[0] == '[';

	memset(out, 0, sizeof(*out));
	if (strncmp(text, "unix:", 5) == 0)
		return (want & CONF_ADDR_UNIX) != 0 ? parse_unix(a, text, out) : "a unix socket cannot be named here";
	out->text = arena_strdup(a, text);
	if (out->text == NULL)
		return "out of memory";
	if (v6) {
		const char *close = strchr(text, ']');
		if (close == NULL || (close[1] != '\0' && close[1] != ':'))
			return "not an IPv6 address between [ and ]";
		host = arena_strndup(a, text + 1, (size_t)(close - text - 1));
		port_text = close[1] == ':' ? close + 2 : "";
	} else if (strspn(text, "0123456789") == strlen(text) && (want & CONF_ADDR_PORT_ONLY) != 0) {
		host = arena_strdup(a, "*");
		port_text = text;
	} else {
		colon = strrchr(text, ':');
		if (colon != NULL && strchr(text, ':') != colon)
			return "an IPv6 address stands between [ and ]";
		host = arena_strndup(a, text, colon == NULL ? strlen(text) : (size_t)(colon - text));
		port_text = colon == NULL ? "" : colon + 1;
	}
	if (host == NULL)
		return "out of memory";
	why = parse_port(port_text, want, &port);
	return why != NULL ? why : set_host(a, host, v6, port, want, out);
}

unsigned conf_addr_port(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET || sa->sa_family == AF_UNSPEC)
		return ntohs(((const struct sockaddr_in *)(const void *)sa)->sin_port);
	if (sa->sa_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)(const void *)sa)->sin6_port);
	return 0;
}

size_t conf_addr_host(const struct sockaddr *sa, unsigned char out[16])
{
	if (sa->sa_family == AF_INET) {
		memcpy(out, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
		return 4;
	}
	if (sa->sa_family == AF_INET6) {
		const struct in6_addr *in6 = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
		if (IN6_IS_ADDR_V4MAPPED(in6)) {
			memcpy(out, in6->s6_addr + 12, 4);
			return 4;
		}
		memcpy(out, in6->s6_addr, 16);
		return 16;
	}
	return 0;
}
