/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/remote_ip.h"

#include <string.h>
#include <sys/types.h>

#include "gateway/http/http_chars.h"

enum remote_ip_trust remote_ip_trust(const struct remote_ip_rules *rules, const struct ip_addr *peer)
{
	if (peer == NULL)
		return rules->unix_peers;
	for (size_t i = 0; i < rules->proxies_n; i++)
		if (ip_net_has(&rules->proxies[i].net, peer))
			return rules->proxies[i].trust;
	return REMOTE_IP_NONE;
}

/* The last field of this name; -1: none. */
static ssize_t last_field(const struct req_fields *f, const char *name)
{
	for (size_t n = f->n; n-- > 0;)
		if (req_field_is(&f->list[n], name))
			return (ssize_t)n;
	return -1;
}

static void drop_field(struct req_fields *f, size_t at)
{
	memmove(&f->list[at], &f->list[at + 1], (f->n - at - 1) * sizeof(*f->list));
	f->n--;
}

/* Where the last element of a list begins. */
static size_t last_element(const char *s, size_t len)
{
	while (len > 0 && s[len - 1] != ',')
		len--;
	return len;
}

static void note_proxy(struct remote_ip_found *f, const struct ip_addr *proxy)
{
	size_t len = strlen(f->proxies);
	char text[IP_TEXT_MAX];

	ip_text(proxy, text);
	if (len + strlen(text) + 3 > sizeof(f->proxies))
		return;
	if (len > 0) {
		memcpy(f->proxies + len, ", ", 2);
		len += 2;
	}
	memcpy(f->proxies + len, text, strlen(text) + 1);
}

/* The address in the last element of @field, if @trust allows to believe it. False ends the walk. */
static bool believe(const struct req_field *field, enum remote_ip_trust trust, size_t *start, struct remote_ip_found *found, struct ip_addr *out)
{
	*start = last_element(field->value, field->value_len);
	const char *elem = field->value + *start;
	size_t len = field->value_len - *start;
	http_trim(&elem, &len);
	if (!ip_parse(elem, len, out)) {
		found->why = "is no address";
		return false;
	}
	if (trust != REMOTE_IP_INTERNAL && ip_is_private(out)) {
		found->why = "is an address that no client on the internet has";
		return false;
	}
	return true;
}

/* Cut the last element, which begins at @start, off field @at; an empty field goes. */
static void consume(struct req_fields *f, size_t at, size_t start)
{
	struct req_field *field = &f->list[at];
	size_t len = start > 0 ? start - 1 : 0; /* the comma */

	while (len > 0 && (field->value[len - 1] == ' ' || field->value[len - 1] == '\t'))
		len--;
	field->value_len = (uint32_t)len;
	if (len == 0)
		drop_field(f, at);
}

bool remote_ip_take(const struct remote_ip_rules *rules, const struct ip_addr *peer, struct req_fields *f, struct remote_ip_found *found)
{
	struct ip_addr at;
	bool any = false;

	found->proxies[0] = '\0';
	found->why = NULL;
	if (rules->header == NULL)
		return false;
	for (unsigned hops = 0; hops < REMOTE_IP_HOPS_MAX; hops++) {
		enum remote_ip_trust trust = remote_ip_trust(rules, any ? &found->client : peer);
		ssize_t field = trust == REMOTE_IP_NONE ? -1 : last_field(f, rules->header);
		size_t start;
		if (field < 0 || !believe(&f->list[field], trust, &start, found, &at))
			break;
		if (trust == REMOTE_IP_TRUSTED && (any || peer != NULL))
			note_proxy(found, any ? &found->client : peer);
		consume(f, (size_t)field, start);
		found->client = at;
		any = true;
	}
	return any;
}
