/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/tls/tls_vars.h"

#include <openssl/bn.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* What is asked of a certificate's name: the short name of its part, and which of several. */
#define DN_PREFIX_LEN 5 /* "S_DN_", "I_DN_" */

static int put_text(char *out, const char *text)
{
	if (text == NULL)
		return -1;
	size_t n = strlen(text);
	if (n >= TLS_VAR_MAX)
		n = TLS_VAR_MAX - 1;
	memcpy(out, text, n);
	out[n] = '\0';
	return (int)n;
}

static int put_number(char *out, long long n)
{
	return snprintf(out, TLS_VAR_MAX, "%lld", n);
}

/* What OpenSSL prints into memory. */
static int put_bio(char *out, BIO *b, bool ok)
{
	char *text = NULL;
	long n = ok && b != NULL ? BIO_get_mem_data(b, &text) : 0;

	if (n >= TLS_VAR_MAX)
		n = TLS_VAR_MAX - 1;
	if (n > 0) {
		memcpy(out, text, (size_t)n);
		out[n] = '\0';
	}
	BIO_free(b);
	return n > 0 ? (int)n : -1;
}

/* --- the session --------------------------------------------------------------------------------------------------------- */

static int var_cipher_bits(SSL *ssl, char *out, bool algorithm)
{
	int of_algorithm = 0, used = SSL_CIPHER_get_bits(SSL_get_current_cipher(ssl), &of_algorithm);

	return put_number(out, algorithm ? of_algorithm : used);
}

static int var_session_id(SSL *ssl, char *out)
{
	unsigned n = 0;
	const unsigned char *id = SSL_SESSION_get_id(SSL_get_session(ssl), &n);

	for (unsigned i = 0; i < n; i++)
		snprintf(out + (size_t)2 * i, 3, "%02x", id[i]);
	return n > 0 ? (int)(2 * n) : -1;
}

/* --- the certificate that was shown --------------------------------------------------------------------------------------- */

static int put_name(char *out, const X509_NAME *name)
{
	BIO *b = BIO_new(BIO_s_mem());

	return put_bio(out, b, b != NULL && X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253) >= 0);
}

static int put_time(char *out, const ASN1_TIME *t)
{
	BIO *b = BIO_new(BIO_s_mem());

	return put_bio(out, b, b != NULL && ASN1_TIME_print(b, t) == 1);
}

static int put_serial(char *out, const X509 *x)
{
	BIO *b = BIO_new(BIO_s_mem());

	return put_bio(out, b, b != NULL && i2a_ASN1_INTEGER(b, X509_get0_serialNumber(x)) >= 0);
}

static int put_object(char *out, const ASN1_OBJECT *o)
{
	int nid = o != NULL ? OBJ_obj2nid(o) : NID_undef;

	return put_text(out, nid == NID_undef ? "UNKNOWN" : OBJ_nid2ln(nid));
}

/* Part @what ("CN", "OU_1") of a name. */
static int put_part(char *out, const X509_NAME *name, const char *what)
{
	static const struct {
		const char *name;
		int nid;
	} parts[] = {{"C", NID_countryName}, {"ST", NID_stateOrProvinceName}, {"L", NID_localityName}, {"O", NID_organizationName},
		{"OU", NID_organizationalUnitName}, {"CN", NID_commonName}, {"T", NID_title}, {"I", NID_initials}, {"G", NID_givenName},
		{"S", NID_surname}, {"D", NID_description}, {"UID", NID_userId}, {"Email", NID_pkcs9_emailAddress}};
	size_t len = strcspn(what, "_");
	int skip = what[len] == '_' && what[len + 1] >= '0' && what[len + 1] <= '9' && what[len + 2] == '\0' ? what[len + 1] - '0' : 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (strlen(parts[i].name) != len || strncmp(parts[i].name, what, len) != 0)
			continue;
		int at = X509_NAME_get_index_by_NID(name, parts[i].nid, -1);
		while (at >= 0 && skip-- > 0)
			at = X509_NAME_get_index_by_NID(name, parts[i].nid, at);
		unsigned char *text = NULL;
		int n = at < 0 ? -1 : ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
		if (n > 0)
			n = snprintf(out, TLS_VAR_MAX, "%.*s", n, (const char *)text);
		OPENSSL_free(text);
		return n <= 0 ? -1 : n >= TLS_VAR_MAX ? TLS_VAR_MAX - 1 : n;
	}
	return -1;
}

static int var_server(SSL *ssl, const char *name, char *out)
{
	X509 *x = SSL_get_certificate(ssl);
	const X509_ALGOR *sig;
	X509_PUBKEY *key;
	ASN1_OBJECT *of_key = NULL;

	if (x == NULL)
		return -1;
	if (strcmp(name, "M_VERSION") == 0)
		return put_number(out, X509_get_version(x) + 1);
	if (strcmp(name, "M_SERIAL") == 0)
		return put_serial(out, x);
	if (strcmp(name, "V_START") == 0)
		return put_time(out, X509_get0_notBefore(x));
	if (strcmp(name, "V_END") == 0)
		return put_time(out, X509_get0_notAfter(x));
	if (strcmp(name, "A_SIG") == 0) {
		X509_get0_signature(NULL, &sig, x);
		return put_object(out, sig->algorithm);
	}
	if (strcmp(name, "A_KEY") == 0) {
		key = X509_get_X509_PUBKEY(x);
		return X509_PUBKEY_get0_param(&of_key, NULL, NULL, NULL, key) == 1 ? put_object(out, of_key) : -1;
	}
	const X509_NAME *dn = name[0] == 'S' ? X509_get_subject_name(x) : X509_get_issuer_name(x);
	if (strcmp(name + 1, "_DN") == 0)
		return put_name(out, dn);
	return strncmp(name + 1, "_DN_", 4) == 0 ? put_part(out, dn, name + DN_PREFIX_LEN) : -1;
}

/* --- by name ---------------------------------------------------------------------------------------------------------------- */

int tls_var(const struct tls_session *s, const char *name, char *out)
{
	SSL *ssl = tls_session_ssl(s);

	if (strcmp(name, "HTTPS") == 0)
		return put_text(out, "on");
	if (strncmp(name, "SSL_", 4) != 0)
		return -1;
	name += 4;
	if (strcmp(name, "PROTOCOL") == 0)
		return put_text(out, SSL_get_version(ssl));
	if (strcmp(name, "CIPHER") == 0)
		return put_text(out, SSL_get_cipher_name(ssl));
	if (strcmp(name, "CIPHER_USEKEYSIZE") == 0 || strcmp(name, "CIPHER_ALGKEYSIZE") == 0)
		return var_cipher_bits(ssl, out, name[7] == 'A');
	if (strcmp(name, "CIPHER_EXPORT") == 0)
		return put_text(out, "false");
	if (strcmp(name, "COMPRESS_METHOD") == 0)
		return put_text(out, "NULL");
	if (strcmp(name, "SECURE_RENEG") == 0)
		return put_text(out, "true");
	if (strcmp(name, "SESSION_RESUMED") == 0)
		return put_text(out, SSL_session_reused(ssl) ? "Resumed" : "Initial");
	if (strcmp(name, "SESSION_ID") == 0)
		return var_session_id(ssl, out);
	if (strcmp(name, "TLS_SNI") == 0)
		return put_text(out, tls_session_sni(s));
	if (strcmp(name, "CLIENT_VERIFY") == 0)
		return put_text(out, "NONE");
	if (strcmp(name, "VERSION_INTERFACE") == 0)
		return put_text(out, "Bulkhead/" PACKAGE_VERSION);
	if (strcmp(name, "VERSION_LIBRARY") == 0)
		return put_text(out, OpenSSL_version(OPENSSL_VERSION));
	return strncmp(name, "SERVER_", 7) == 0 ? var_server(ssl, name + 7, out) : -1;
}

int tls_vars_each(const struct tls_session *s,
	int (*put)(void *arg, const char *name, size_t name_len, const char *value, size_t value_len), void *arg)
{
	static const char *const names[] = {"SSL_PROTOCOL", "SSL_CIPHER", "SSL_CIPHER_EXPORT", "SSL_CIPHER_USEKEYSIZE",
		"SSL_CIPHER_ALGKEYSIZE", "SSL_COMPRESS_METHOD", "SSL_SECURE_RENEG", "SSL_SESSION_RESUMED", "SSL_SESSION_ID", "SSL_CLIENT_VERIFY",
		"SSL_VERSION_INTERFACE", "SSL_VERSION_LIBRARY", "SSL_SERVER_M_VERSION", "SSL_SERVER_M_SERIAL", "SSL_SERVER_V_START",
		"SSL_SERVER_V_END", "SSL_SERVER_A_SIG", "SSL_SERVER_A_KEY", "SSL_SERVER_S_DN", "SSL_SERVER_I_DN"};
	static const char *const parts[] = {"C", "ST", "L", "O", "OU", "CN", "T", "I", "G", "S", "D", "UID", "Email"};
	char value[TLS_VAR_MAX], name[32];
	int err = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && err == 0; i++) {
		int n = tls_var(s, names[i], value);
		if (n >= 0)
			err = put(arg, names[i], strlen(names[i]), value, (size_t)n);
	}
	for (size_t i = 0; i < 2 * sizeof(parts) / sizeof(*parts) && err == 0; i++) {
		int len = snprintf(name, sizeof(name), "SSL_SERVER_%c_DN_%s", i % 2 == 0 ? 'S' : 'I', parts[i / 2]);
		int n = tls_var(s, name, value);
		if (n >= 0)
			err = put(arg, name, (size_t)len, value, (size_t)n);
	}
	return err;
}
